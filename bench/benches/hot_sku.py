"""Reservations of one SKU: from a topic full of orders to the committed reply, beside one reservation a transaction."""
import json
import time
import uuid

import confluent_kafka

from benches.place import number
from machine import Wrong
from topics import Topics

EVENTS = 10_000  # a second of measuring: what the topic is filled with
PATIENCE = 120


def fill(system, events):
    """As the relay would have written them."""
    topics = Topics(system.bus)
    failed = []
    producer = confluent_kafka.Producer({"bootstrap.servers": topics.settings["bootstrap.servers"], "linger.ms": 20, "acks": "all",
                                         "enable.idempotence": True, "queue.buffering.max.messages": events + 1})
    for i in range(events):
        order = str(uuid.uuid4())
        value = {"orderId": order, "version": 1, "customerId": str(uuid.uuid4()), "currency": "GBP", "totalAmount": 250,
                 "items": [{"sku": "SKU-0", "quantity": 1, "unitAmount": 250}], "createdAt": "2026-01-01T00:00:00Z"}
        headers = {"ce_specversion": "1.0", "ce_id": str(uuid.uuid4()), "ce_source": "/trackops/orders", "ce_type": "ORDER_CREATED",
                   "ce_time": "2026-01-01T00:00:00Z", "ce_subject": order, "ce_sequence": "1", "ce_correlationid": order,
                   "ce_causationid": order, "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                   "content-type": "application/json"}
        producer.produce(f"{topics.prefix}ORDER_CREATED", json.dumps(value), order, headers=headers,
                         on_delivery=lambda error, _: error and failed.append(error))
        producer.poll(0)
    producer.flush(PATIENCE)
    if failed:
        raise Wrong(f"{len(failed)} messages were not taken: {failed[0]}")


class HotSku:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        machine.up()

    def topic_to_reply(self):
        """Counts from the first commit that is seen to the last one."""
        system = self.machine.system("inventory")
        try:
            system.stock()
            system.of("inventory").stop()
            events = int(EVENTS * self.seconds)
            fill(system, events)
            system.of("inventory").start()
            curve = reserved(system, events)
            check(system, events)
            (begun, first), (ended, last) = curve[0], curve[-1]
            return {"per_s": (last - first) / (ended - begun), "events": events}
        finally:
            system.end()

    def cases(self):
        return {"product, topic to reply": self.topic_to_reply,
                "F4, 32 clients": lambda: self.machine.pgbench("f4_hot_sku.pgb", 32, self.seconds),
                "one statement, 256/tx": lambda: self.machine.batches("hot-sku", 256, 1, self.seconds)}


def reserved(system, events):
    """[(time, reservations that are committed)]; the stock's row says it without counting."""
    until = time.monotonic() + PATIENCE
    curve = []
    while not curve or curve[-1][1] < events:
        there = number(system.inventory("SELECT reserved FROM inventory_items WHERE sku = 'SKU-0'"))
        if there and (not curve or there > curve[-1][1]):
            curve.append((time.monotonic(), there))
        if time.monotonic() > until:
            raise Wrong(f"{there} of {events} reservations within {PATIENCE} s")
        time.sleep(0.02)
    return curve


def check(system, events):
    for what, query in {"reservations": "SELECT count(*) FROM inventory_reservations WHERE status = 'RESERVED'",
                        "units in reservations": "SELECT sum(quantity) FROM inventory_reservation_items",
                        "messages handled": "SELECT count(*) FROM processed_events WHERE consumer = 'inventory-service'",
                        "replies": "SELECT count(DISTINCT aggregate_id) FROM outbox_events WHERE type = 'INVENTORY_RESERVED'"}.items():
        found = number(system.inventory(query))
        if found != events:
            raise Wrong(f"{what}: {found} instead of {events}")
