"""The checker of topics against databases: silent about what adds up, loud about each thing that does not."""
import json
import sqlite3

import pytest

from check_system import acknowledged_faults, history_faults, identity_faults, reply_faults
from databases import Database
from topics import Event

SCRIPT = """
CREATE TABLE orders (id TEXT);
CREATE TABLE order_history (order_id TEXT, revision INTEGER, version INTEGER, event_id TEXT, type TEXT, status TEXT, sequence INTEGER);
CREATE TABLE inventory_reservations (order_id TEXT, status TEXT);
INSERT INTO orders VALUES ('o');
INSERT INTO order_history VALUES ('o', 1, 1, 'e1', 'ORDER_PLACED', 'PENDING', 1), ('o', 2, 1, 'e4', 'RESERVATION_RETRIED', 'PENDING', 2),
    ('o', 3, 2, 'e2', 'ORDER_CONFIRMED', 'CONFIRMED', 3), ('o', 5, 3, 'e3', 'PROCESSING_STARTED', 'PROCESSING', 4);
INSERT INTO inventory_reservations VALUES ('o', 'RESERVED'), (NULL, 'EXPIRED');
"""


def event(topic, event_id, sequence, key="o", **data):
    return Event(topic, 0, 0, key, (("ce_id", event_id), ("ce_sequence", str(sequence))), json.dumps(data).encode())


CREATED = event("ORDER_CREATED", "e1", 1, version=1)
AGAIN = event("ORDER_CREATED", "e4", 2, version=1)
CONFIRMED = event("ORDER_STATUS_UPDATED", "e2", 3, version=2, newStatus="CONFIRMED")
PROCESSING = event("ORDER_STATUS_UPDATED", "e3", 4, version=3, newStatus="PROCESSING")
RESERVED = event("INVENTORY_RESERVED", "r1", 1)
GOOD = [CREATED, AGAIN, CONFIRMED, PROCESSING, CONFIRMED, RESERVED]  # a saga asked twice; a double, which consumers drop


def faults_of(folder, events, script="", acknowledged=("o",)):
    path = folder / "both.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(SCRIPT + script)
    database = Database(f"sqlite:{path}")
    orders = [one for one in events if one.topic.startswith("ORDER")]
    return [kind for generator in (acknowledged_faults(database, acknowledged), identity_faults(events), history_faults(database, orders),
                                   reply_faults(database, events)) for kind, _ in generator]


def test_what_adds_up_has_no_faults(tmp_path):
    assert faults_of(tmp_path, GOOD) == []


@pytest.mark.parametrize("events, script, acknowledged, said", [
    (GOOD, "", ("o", "p"), "an order that was answered with 201 is gone"),
    ([CREATED, AGAIN, CONFIRMED, RESERVED], "", ("o",), "a change of an order has no event in any topic"),
    ([CREATED, AGAIN, PROCESSING, CONFIRMED, RESERVED], "", ("o",), "an order's events are out of order in a topic"),
    ([CREATED, CONFIRMED, PROCESSING, RESERVED], "", ("o",), "an order's events have a gap"),
    (GOOD + [event("ORDER_STATUS_UPDATED", "e2", 3, version=2, newStatus="SHIPPED")], "", ("o",), "one event id has two contents"),
    (GOOD + [event("ORDER_CANCELLED", "e9", 5, version=4)], "", ("o",), "an event tells of a change that no history has"),
    (GOOD + [event("ORDER_DELIVERED", "e9", 5, version=4)], "", ("o",), "an event tells of a change that no history has"),
    (GOOD[1:] + [event("ORDER_CREATED", "e1", 1, version=7)], "", ("o",), "an event tells of another change"),
    ([CREATED, AGAIN, event("ORDER_STATUS_UPDATED", "e2", 3, version=2, newStatus="SHIPPED"), PROCESSING, RESERVED], "", ("o",),
     "an event tells another status"),
    (GOOD, "UPDATE order_history SET version = 4 WHERE version = 3;", ("o",), "an order's versions have a gap"),
    (GOOD, "UPDATE order_history SET sequence = 9 WHERE version = 3;", ("o",), "an event tells of another change"),
    (GOOD, "UPDATE order_history SET type = 'RELEASE_RETRIED' WHERE revision = 2;", ("o",), "a saga repeats what there was not"),
    (GOOD, "UPDATE inventory_reservations SET status = 'RELEASED' WHERE order_id = 'o';", ("o",), "a reservation was never told"),
    (GOOD + [event("INVENTORY_RELEASED", "", 2)], "", ("o",), "an event has no id"),
])
def test_each_planted_fault_is_named(tmp_path, events, script, acknowledged, said):
    assert said in faults_of(tmp_path, events, script, acknowledged)
