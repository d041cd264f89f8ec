"""Hears what happens to orders, from Kafka, each order's events in their order and each event once. BUS names the brokers (127.0.0.1:9092), PREFIX
stands before the names of the topics.

Each type of event has a topic of its own, and Kafka keeps order within a topic only. ce_sequence restores it: each producer (ce_source) counts the
events of an order 1, 2, 3 without gaps. An event that comes early waits until those before it are there; one that comes again is dropped.
This program keeps its counts in memory and reads from the beginning, as a projection does that is built anew at each start. A program that keeps what it
has done commits the counts with it, in one transaction, and reads on from there."""
import json
import os
import sys

TOPICS = ("ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_DELIVERED", "ORDER_CANCELLED",
          "INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED", "INVENTORY_RELEASED")
WAITING_MAX = 100_000  # events; far more than are ever under way, so that only a lost event can fill it


class InOrder:
    """Hands on each event of an order and producer once, in the order of its sequence."""

    def __init__(self, hand_on):
        self.hand_on, self.next, self.waiting, self.count = hand_on, {}, {}, 0

    def put(self, order, source, sequence, event):
        key = (order, source)
        expected = self.next.get(key, 1)
        if sequence < expected or sequence in self.waiting.get(key, {}):
            return  # it came before: brokers and relays deliver at least once
        self.waiting.setdefault(key, {})[sequence] = event
        self.count += 1
        if self.count > WAITING_MAX:
            raise RuntimeError(f"event {expected} of order {order} from {source} is missing")
        while expected in self.waiting.get(key, {}):
            self.hand_on(order, source, expected, self.waiting[key].pop(expected))
            expected += 1
            self.count -= 1
        self.next[key] = expected
        if not self.waiting[key]:
            del self.waiting[key]


def show(order, source, sequence, event):
    print(order, source.rsplit("/", 1)[1], sequence, event["type"], event["data"].get("newStatus") or event["data"].get("reason", ""), flush=True)


def main():
    from confluent_kafka import Consumer, KafkaException

    consumer = Consumer({"bootstrap.servers": os.environ.get("BUS", "127.0.0.1:9092"), "group.id": os.environ.get("GROUP", "example"),
                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([os.environ.get("PREFIX", "") + topic for topic in TOPICS])
    in_order = InOrder(show)
    try:
        while True:
            message = consumer.poll(1)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            headers = {name: value.decode() for name, value in message.headers()}
            in_order.put(message.key().decode(), headers["ce_source"], int(headers["ce_sequence"]),
                         {"type": headers["ce_type"], "data": json.loads(message.value())})
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
