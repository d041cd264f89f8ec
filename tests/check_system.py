#!/usr/bin/python3
"""Checks a whole system at rest from outside: both databases by plain SQL, the topics by a plain Kafka consumer.

    tests/check_system.py --order-database postgres://... --inventory-database postgres://... --bus kafka://127.0.0.1:9092 [--acknowledged FILE]

FILE: one order id a line, each answered with 201. Prints the figures and exits 0, or prints the evidence and exits 1.
"""
import argparse
import collections
import json
import sys

from check_stock import EVIDENCE_MAX, check_stock, settled
from databases import Database
from topics import Topics

ORDER_TOPICS = ["ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_DELIVERED", "ORDER_CANCELLED", "ORDER_UPDATED"]
REPLY_TOPICS = ["INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED", "INVENTORY_RELEASED"]
# The reply that must stand in the topics for a reservation in this state.
REPLY_OF = {"RESERVED": "INVENTORY_RESERVED", "FULFILLED": "INVENTORY_RESERVED", "RELEASED": "INVENTORY_RELEASED",
            "REFUSED": "INVENTORY_RESERVATION_FAILED", "CANCELLED_FIRST": "INVENTORY_RELEASED"}

# The topic of each type of event in an order's history.
TOPIC_OF = {"ORDER_PLACED": "ORDER_CREATED", "ORDER_DELIVERED": "ORDER_DELIVERED", "ORDER_CANCELLED": "ORDER_CANCELLED",
            "ORDER_CONFIRMED": "ORDER_STATUS_UPDATED", "PROCESSING_STARTED": "ORDER_STATUS_UPDATED", "ORDER_SHIPPED": "ORDER_STATUS_UPDATED",
            "RESERVATION_RETRIED": "ORDER_CREATED", "RELEASE_RETRIED": "ORDER_CANCELLED",
            "ORDER_DETAILS_CHANGED": "ORDER_UPDATED", "SHIPMENT_CORRECTED": "ORDER_UPDATED", "PERSONAL_DATA_ERASED": "ORDER_UPDATED"}
# A saga that has no reply asks again, with a new event id. It tells of an earlier change, and the version of the order stays.
REPEATS = {"RESERVATION_RETRIED": "ORDER_PLACED", "RELEASE_RETRIED": "ORDER_CANCELLED"}


def acknowledged_faults(orders, acknowledged):
    there = {order for (order,) in orders.rows("SELECT id FROM orders")}
    for order in acknowledged:
        if order not in there:
            yield "an order that was answered with 201 is gone", order


def identity_faults(events):
    """One event id, one content; and what came first of an order in a topic has the lower version."""
    content, newest = {}, {}
    for event in events:
        if not event.id:
            yield "an event has no id", f"{event.topic}/{event.partition}@{event.offset}"
            continue
        said = (event.topic, event.key, event.header("ce_sequence"), event.value)
        if event.id in content:
            if content[event.id] != said:
                yield "one event id has two contents", f"{event.id}: {content[event.id]} and {said}"
            continue  # a double
        content[event.id] = said
        before = newest.get((event.topic, event.key), 0)
        if event.sequence <= before:
            yield "an order's events are out of order in a topic", f"{event.topic} {event.key}: {event.sequence} after {before}"
        newest[event.topic, event.key] = event.sequence


def history_faults(orders, events):
    """Each row of an order's history has its one event, and each event its row. Version 0.1 kept no rows of what a saga asked again."""
    told = {event.id: event for event in events}
    sequences = collections.defaultdict(set)
    for event in told.values():
        sequences[event.key].add(event.sequence)
    changes = collections.defaultdict(dict)
    for order, version, event_id, kind, status, sequence in orders.rows(
            "SELECT order_id, version, event_id, type, status, sequence FROM order_history ORDER BY order_id, revision"):
        repeats = REPEATS.get(kind)
        if repeats:
            if repeats not in changes[order].values():
                yield "a saga repeats what there was not", f"order {order} version {version} ({kind})"
        else:
            changes[order][int(version)] = kind
        event = told.pop(event_id, None)
        if event is None:
            yield "a change of an order has no event in any topic", f"order {order} version {version} ({kind}), event {event_id}"
        elif event.topic != TOPIC_OF[kind] or sequence is not None and event.sequence != int(sequence):
            yield "an event tells of another change", f"{event_id} is {event.topic} #{event.sequence}, not {kind} #{sequence} of {order}"
        elif event.key != order or not repeats and json.loads(event.value)["version"] != int(version):
            yield "an event tells of another change", f"{event_id} is {event.key} {event.value!r}, not {order} version {version}"
        elif event.topic == "ORDER_STATUS_UPDATED" and json.loads(event.value)["newStatus"] != status:
            yield "an event tells another status", f"{event_id}: {event.value!r}, history {status}"
    for order, versions in changes.items():
        if sorted(versions) != list(range(1, len(versions) + 1)):
            yield "an order's versions have a gap", f"order {order}: {sorted(versions)}"
    for order, there in sequences.items():
        if there != set(range(1, len(there) + 1)):
            yield "an order's events have a gap", f"order {order}: {sorted(there)}"
    for event in told.values():
        if event.topic not in (TOPIC_OF[kind] for kind in REPEATS.values() if kind in changes[event.key].values()):
            yield "an event tells of a change that no history has", f"{event.topic} {event.id} of order {event.key}"


def reply_faults(inventory, events):
    replied = {(event.topic, event.key) for event in events}
    for order, status in inventory.rows("SELECT order_id, status FROM inventory_reservations WHERE order_id IS NOT NULL"):
        if (REPLY_OF[status], order) not in replied:
            yield "a reservation was never told", f"order {order} is {status}, no {REPLY_OF[status]}"


def check_system(order_database, inventory_database, bus, acknowledged=()):
    """(figures, faults): text for people; no faults means that nothing is lost, doubled, oversold or out of order."""
    figures, faults = check_stock(order_database, inventory_database)
    topics = Topics(bus)
    order_events, replies = topics.read(ORDER_TOPICS), topics.read(REPLY_TOPICS)
    dead = topics.read([name for name in topics.names() if name.endswith(".DLT")])
    figures.append(f"{len(order_events):,} order events, {len({event.id for event in order_events}):,} different; "
                   f"{len(replies):,} replies, {len({event.id for event in replies}):,} different; {len(dead):,} dead letters")
    found = collections.defaultdict(list)
    for generator in (acknowledged_faults(Database(order_database), acknowledged), identity_faults(order_events + replies),
                      history_faults(Database(order_database), order_events), reply_faults(Database(inventory_database), replies)):
        for kind, evidence in generator:
            found[kind].append(evidence)
    for event in dead:
        found["a dead letter"].append(f"{event.topic}/{event.partition}@{event.offset}: {dict(event.headers)}")
    for kind, evidence in found.items():
        faults.append(f"{kind}: {len(evidence):,}")
        faults += [f"    {line}" for line in evidence[:EVIDENCE_MAX]]
    return figures, faults


def main():
    parser = argparse.ArgumentParser(description="Checks a whole system at rest from outside.")
    parser.add_argument("--order-database", required=True, help="postgres://... or sqlite:FILE")
    parser.add_argument("--inventory-database", required=True, help="postgres://... or sqlite:FILE")
    parser.add_argument("--bus", required=True, help="kafka://HOST:PORT[,HOST:PORT...][?prefix=x.]")
    parser.add_argument("--acknowledged", metavar="FILE", help="order ids that were answered with 201, one a line")
    parser.add_argument("--at-rest-within", type=float, default=0, metavar="SECONDS", help="look again so long while something is under way")
    arguments = parser.parse_args()
    acknowledged = open(arguments.acknowledged, encoding="ascii").read().split() if arguments.acknowledged else []
    figures, faults = settled(lambda: check_system(arguments.order_database, arguments.inventory_database, arguments.bus, acknowledged),
                              arguments.at_rest_within)
    print("\n".join(figures))
    if faults:
        print("\n".join(faults))
        sys.exit(1)
    print("nothing is lost, doubled, oversold or out of order")


if __name__ == "__main__":
    main()
