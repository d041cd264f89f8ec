"""From the outbox to Kafka: draining a backlog, what that costs the writers, and how long one event takes."""
import re
import time

import confluent_kafka

from benches.place import number, placed
from databases import psql
from machine import PROGRAMS, Wrong, call, rate_of
from topics import Topics

PATIENCE = 120  # seconds for a backlog


class Growth:
    """How many messages a topic holds; asks the broker alone, so that looking costs the relay nothing."""

    def __init__(self, bus, name):
        topics = Topics(bus)
        self.consumer = confluent_kafka.Consumer(topics.settings)
        topic = topics.prefix + name
        there = self.consumer.list_topics(topic, timeout=30).topics[topic].partitions
        self.places = [confluent_kafka.TopicPartition(topic, partition) for partition in there]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()

    def messages(self):
        return sum(end - first for first, end in (self.consumer.get_watermark_offsets(place, timeout=30) for place in self.places))


def drained(system, events):
    """[(time, messages in the topic)] from the first that came until all events have."""
    until = time.monotonic() + PATIENCE
    curve = []
    with Growth(system.bus, "ORDER_CREATED") as topic:
        while not curve or curve[-1][1] < events:
            there = topic.messages()
            if there:
                curve.append((time.monotonic(), there))
            if time.monotonic() > until:
                raise Wrong(f"{there} of {events} events came within {PATIENCE} s")
            time.sleep(0.02)
    return curve


def rate_between(curve, low, high):
    """Events a second between these shares of what left while the curve was drawn."""
    first, last = curve[0][1], curve[-1][1]

    def when(share):
        wanted = first + share * (last - first)
        after = next(i for i, (_, there) in enumerate(curve) if there >= wanted)
        if not after:
            return curve[0][0]
        (t0, n0), (t1, n1) = curve[after - 1:after + 1]
        return t0 + (t1 - t0) * (wanted - n0) / (n1 - n0)
    return (high - low) * (last - first) / (when(high) - when(low))


def check_told(system, orders):
    """Each order has told of itself in its topic, under one event id; how many messages came twice."""
    told = Topics(system.bus).read(["ORDER_CREATED"])
    ids, keys = {event.id for event in told}, {event.key for event in told}
    if not len(ids) == len(keys) == orders:
        raise Wrong(f"{orders} orders, {len(ids)} events of {len(keys)} orders in the topic")
    return len(told) - orders


def relay_is_active(system):
    until = time.monotonic() + 20
    while not system.metric("relay", "trackops_relay_active"):
        if time.monotonic() > until:
            raise Wrong("the relay does not start")
        time.sleep(0.05)


def fill(system, machine, seconds):
    """A backlog of whole orders, 128 a transaction, as two writers make it; a relay that was there before has left its place."""
    relay_is_active(system)
    time.sleep(1.5)  # a checkpoint of the relay's
    system.of("relay").stop()
    call(PROGRAMS / "bench_write_path", "--database", system.order_database, "--what", "place", "--batch", 128, "--seconds", seconds, "--connections", 2)
    machine.settle()
    return number(system.orders("SELECT count(*) FROM outbox_events"))


class Relay:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        machine.up()

    def drain(self, source):
        system = self.machine.system("order", "relay", relay={"SOURCE": source})
        try:
            events = fill(system, self.machine, self.seconds)
            system.of("relay").start()
            curve = drained(system, events)
            return {"per_s": rate_between(curve, 0, 1), "events": events, "doubles": check_told(system, events)}
        finally:
            system.end()

    def floor(self):
        """The floor's own tables, filled by its own program, read by one that throws away."""
        url = self.machine.floor_database()
        psql(url, "CREATE PUBLICATION floor FOR TABLE floors.outbox_events WITH (publish = 'insert')")
        psql(url, "SELECT pg_create_logical_replication_slot('floor', 'pgoutput')")
        try:
            call(PROGRAMS / "bench_floor_postgres", "place", url, 128, 2, self.seconds)
            self.machine.settle()
            events = int(re.search(r"\d+", psql(url, "SELECT count(*) FROM floors.outbox_events"))[0])
            return {"per_s": rate_of(call(PROGRAMS / "bench_floor_stream", url, "floor", "floor", events))["per_s"], "events": events}
        finally:
            psql(url, "SELECT pg_drop_replication_slot('floor')")

    def post(self, *others, **settings):
        system = self.machine.system("order", *others, **settings)
        try:
            figures = placed(system, self.machine, 256, self.seconds)
            if others:
                orders = number(system.orders("SELECT count(*) FROM orders"))
                drained(system, orders)
                check_told(system, orders)
            return figures
        finally:
            system.end()

    def commit_to_topic(self, source):
        system = self.machine.system("order", "relay", relay={"SOURCE": source})
        try:
            relay_is_active(system)
            figures = rate_of(call(PROGRAMS / "bench_commit_to_topic", system.database(system.names["order"], "service"), system.bus, 1000, self.seconds))
            if figures["per_s"] < 950:
                raise Wrong(f"the writers kept {figures['per_s']:.0f} events/s instead of 1,000")
            return figures
        finally:
            system.end()

    def cases(self):
        return {"product, drain by poll": lambda: self.drain("poll"),
                "F5": self.floor,
                "product, drain by wal": lambda: self.drain("wal"),
                "product, POST without relay": self.post,
                "product, POST with relay": lambda: self.post("relay"),
                "product, POST with relay, source wal": lambda: self.post("relay", relay={"SOURCE": "wal"}),
                "product, commit to topic": lambda: self.commit_to_topic("poll"),
                "product, commit to topic, source wal": lambda: self.commit_to_topic("wal")}
