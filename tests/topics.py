"""Reads topics from outside with a plain Kafka consumer: no group, from the first offset to what is there now. Writes one message, too."""
import dataclasses
import time
import urllib.parse

import confluent_kafka

TIMEOUT = 30  # seconds for an answer of the broker
WITHOUT_LEADER = (confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION, confluent_kafka.KafkaError.LEADER_NOT_AVAILABLE,
                  confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART)


@dataclasses.dataclass(frozen=True)
class Event:
    topic: str  # without the system's prefix
    partition: int
    offset: int
    key: str
    headers: tuple  # (name, text) pairs, as they stand in the message
    value: bytes

    def header(self, name):
        return dict(self.headers).get(name)

    @property
    def id(self):
        return self.header("ce_id")

    @property
    def sequence(self):
        return int(self.header("ce_sequence"))


class Topics:
    """kafka://HOST:PORT[,HOST:PORT...][?prefix=x.]"""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "kafka":
            raise ValueError(f"{url} is not kafka://HOST:PORT")
        self.prefix = urllib.parse.parse_qs(parts.query).get("prefix", [""])[0]
        self.settings = {"bootstrap.servers": parts.netloc, "group.id": "outside", "enable.auto.commit": False, "auto.offset.reset": "earliest"}

    def names(self):
        """Topics of this system, without the prefix. A name with another dot than that of .DLT has the prefix of another system."""
        consumer = confluent_kafka.Consumer(self.settings)
        try:
            there = consumer.list_topics(timeout=TIMEOUT).topics
        finally:
            consumer.close()
        ours = (name.removeprefix(self.prefix) for name in there if name.startswith(self.prefix) and not name.startswith("__"))
        return sorted(name for name in ours if "." not in name.removesuffix(".DLT"))

    def read(self, names):
        """Every message of these topics, each partition in its order."""
        consumer = confluent_kafka.Consumer(self.settings)
        try:
            missing = {}
            for name in names:
                for partition in consumer.list_topics(self.prefix + name, timeout=TIMEOUT).topics[self.prefix + name].partitions:
                    place = confluent_kafka.TopicPartition(self.prefix + name, partition)
                    first, end = watermarks(consumer, place)
                    if end > first:
                        missing[place.topic, partition] = (first, end)
            consumer.assign([confluent_kafka.TopicPartition(topic, partition, first) for (topic, partition), (first, _) in missing.items()])
            events = []
            heard = time.monotonic()
            while missing:
                batch = consumer.consume(10_000, timeout=0.05)  # waits so long for the batch to fill
                if batch:
                    heard = time.monotonic()
                elif time.monotonic() - heard > TIMEOUT:
                    raise RuntimeError(f"the broker gave nothing for {TIMEOUT} s; still missing: {missing}")
                for message in batch:
                    if message.error():
                        raise RuntimeError(str(message.error()))
                    place = (message.topic(), message.partition())
                    if place in missing and message.offset() >= missing[place][1] - 1:
                        del missing[place]
                    events.append(event_of(message, self.prefix))
            return events
        finally:
            consumer.close()

    def write(self, name, key, value, headers=()):
        """One message, as a stranger would send it; returns when the broker has it."""
        producer = confluent_kafka.Producer({"bootstrap.servers": self.settings["bootstrap.servers"]})
        producer.produce(self.prefix + name, value, key, headers=list(headers))
        if producer.flush(TIMEOUT):
            raise RuntimeError(f"the broker did not take a message within {TIMEOUT} s")


def watermarks(consumer, place):
    """First offset and end. A topic that was made a moment ago may have no leader yet: asks again for so long."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return consumer.get_watermark_offsets(place, timeout=TIMEOUT)
        except confluent_kafka.KafkaException as failure:
            if failure.args[0].code() not in WITHOUT_LEADER or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def event_of(message, prefix):
    headers = tuple((name, value.decode(errors="replace") if value is not None else "") for name, value in message.headers() or ())
    return Event(message.topic().removeprefix(prefix), message.partition(), message.offset(), (message.key() or b"").decode(errors="replace"), headers,
                 message.value() or b"")
