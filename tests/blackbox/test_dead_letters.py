"""A message that cannot be read becomes a dead letter in <topic>.DLT; later messages, also of its key, are handled."""
import json
import uuid

import pytest

from harness import wait_until
from systems import SYSTEMS, events_of, runs_on

pytestmark = runs_on(SYSTEMS)

# Each consumed topic and the consumer group that reads it.
GROUPS = {"ORDER_CREATED": "inventory-service", "ORDER_STATUS_UPDATED": "inventory-service", "ORDER_CANCELLED": "inventory-service",
          "INVENTORY_RESERVED": "trackops-orders", "INVENTORY_RESERVATION_FAILED": "trackops-orders", "INVENTORY_RELEASED": "trackops-orders"}
UNREADABLE = {"nothing": b"", "no JSON": b'{"orderId": ', "not UTF-8": b'{"orderId": "\xff"}', "no object": b"[]", "no order": b"{}",
              "an order that is a number": b'{"orderId": 7}'}


def letters(system):
    """{ce_id: dead letter} of all topics."""
    names = [name for name in system.topics.names() if name.endswith(".DLT")]
    return {event.id: event for event in (system.topics.read(names) if names else [])}


def with_id(event, event_id):
    return tuple((name, event_id if name == "ce_id" else value) for name, value in event.headers)


def first_of(events, topic):
    return next(event for event in events if event.topic == topic)


@pytest.fixture(scope="module")
def buried(system):
    """A CONFIRMED and a PROCESSING order; each kind of unreadable message behind their events, in every consumed topic."""
    shop = system.shop
    sku = shop.new_sku(1000)
    kept, dropped = shop.place_confirmed((sku, 3))["id"], shop.place_confirmed((sku, 4))["id"]
    shop.change(kept, "process").expect(200)
    events = events_of(system, [kept, dropped], {kept: 4, dropped: 3})
    messages = {}
    for topic in GROUPS:
        near = events[dropped if topic in ("ORDER_CANCELLED", "INVENTORY_RELEASED") else kept][0]
        for kind, value in UNREADABLE.items():
            event_id = str(uuid.uuid4())
            headers = tuple((name, topic if name == "ce_type" else said) for name, said in with_id(near, event_id)) + (("x-foreign", kind),)
            messages[event_id] = (topic, near.partition, near.key, headers, value)
    system.put(messages.values())
    wait_until(lambda: messages.keys() <= letters(system).keys(), what="a dead letter for every unreadable message")
    return {"sku": sku, "kept": kept, "dropped": dropped, "messages": messages, "partition": events[kept][0].partition,
            "created": first_of(events[kept], "ORDER_CREATED")}


@pytest.mark.parametrize("topic", GROUPS)
def test_an_unreadable_message_becomes_a_dead_letter_with_key_value_and_headers(system, buried, topic):
    found = letters(system)
    lying = {event.id: event for event in system.topics.read([topic])}
    for event_id, (where, partition, key, headers, value) in buried["messages"].items():
        if where != topic:
            continue
        letter = found[event_id]
        assert (letter.topic, letter.key, letter.value) == (topic + ".DLT", key, value)
        assert letter.headers[:len(headers)] == headers
        added = dict(letter.headers[len(headers):])
        assert added.pop("dlt-reason")
        assert added == {"dlt-topic": topic, "dlt-partition": str(partition), "dlt-offset": str(lying[event_id].offset), "dlt-group": GROUPS[topic]}


def test_nothing_else_becomes_a_dead_letter(system, buried):
    assert letters(system).keys() == buried["messages"].keys()
    dead = system.topics.read(sorted({topic + ".DLT" for topic in GROUPS}))
    assert len(dead) == len(buried["messages"])


def test_later_messages_of_the_same_key_are_handled(system, buried):
    shop, sku = system.shop, buried["sku"]
    shop.change(buried["kept"], "ship").expect(200)
    wait_until(lambda: [one["status"] for one in shop.reservations(buried["kept"])] == ["FULFILLED"], what="the shipment")
    shop.change(buried["dropped"], "cancel").expect(200)
    shop.saga_becomes(buried["dropped"], "ORDER_CANCELLATION", "COMPLETED")
    assert [one["status"] for one in shop.reservations(buried["dropped"])] == ["RELEASED"]
    item = shop.inventory.get(f"/api/inventory/items/{sku}").expect(200)
    assert item["onHand"] == 997


def test_later_messages_of_the_same_partition_are_handled(system, buried):
    for _ in range(200):
        order = system.shop.place_confirmed((buried["sku"], 1))["id"]
        if events_of(system, [order], {order: 3})[order][0].partition == buried["partition"]:
            return
    raise AssertionError("of 200 orders none fell into that partition")


def test_an_unknown_field_is_ignored_and_a_repeated_request_is_answered_again(system, buried):
    """ORDER_CREATED again with a new event id and a new field: the same reservation is published again, and stock does not change."""
    order, created = buried["kept"], buried["created"]
    before = events_of(system, [order], {order: 4})[order]
    value = json.dumps(json.loads(created.value) | {"colour": "red", "order": {"id": order}}).encode()
    event_id = str(uuid.uuid4())
    stock = system.shop.stock(buried["sku"])
    system.put([("ORDER_CREATED", created.partition, order, with_id(created, event_id) + (("x-new", "1"),), value)])

    def second_answer():
        return [event for event in system.topics.read(["INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED", "INVENTORY_RELEASED"])
                if event.key == order and event.header("ce_causationid") == event_id]
    again = wait_until(second_answer, what="the second answer")
    first = first_of(before, "INVENTORY_RESERVED")
    assert [event.topic for event in again] == ["INVENTORY_RESERVED"]
    assert json.loads(again[0].value) == json.loads(first.value) and again[0].sequence > first.sequence
    assert system.shop.stock(buried["sku"]) == stock
    assert event_id not in letters(system)


def test_a_duplicate_message_has_no_effect(system, buried):
    """ORDER_CREATED again with the same event id: no second reservation and no second answer."""
    sku = system.shop.new_sku(10)
    order = system.shop.place_confirmed((sku, 2))["id"]
    events = events_of(system, [order], {order: 3})[order]
    created = first_of(events, "ORDER_CREATED")
    last = system.shop.place((sku, 1))["id"]
    system.put([("ORDER_CREATED", created.partition, order, created.headers, created.value)] * 2)
    system.shop.becomes(last, "CONFIRMED")
    system.shop.change(order, "cancel").expect(200)  # its event follows the duplicates
    system.shop.saga_becomes(order, "ORDER_CANCELLATION", "COMPLETED")
    assert system.shop.stock(sku) == (10, 1, 9)
    stock = [event for event in events_of(system, [order], {order: 5})[order] if event.topic.startswith("INVENTORY")]
    assert [event.topic for event in sorted(stock, key=lambda event: event.sequence)] == ["INVENTORY_RESERVED", "INVENTORY_RELEASED"]
