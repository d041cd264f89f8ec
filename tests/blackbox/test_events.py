"""The seven topics: headers, key and JSON of each event; order, correlation and causation from a request to each event and back."""
import collections
import json
import re
import uuid

import pytest

from conformance import Events
from databases import Database
from golden import Golden, normalised
from harness import wait_until
from systems import SYSTEMS, TOPICS, events_of, runs_on

pytestmark = runs_on(SYSTEMS)

EVENTS = Golden("events")
CUSTOMER = "e1b4c6d8-0f3a-4b52-8a77-51c0de9a0b1f"
ADDRESS = {"recipient": "A. Lovelace", "line1": "12 St James's Square", "city": "London", "postalCode": "SW1Y 4JH", "country": "GB", "phone": "+44 20"}
REQUIRED = {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_sequence", "ce_correlationid", "ce_causationid",
            "traceparent", "content-type"}
INVENTORY = {"INVENTORY_RESERVED", "INVENTORY_RESERVATION_FAILED", "INVENTORY_RELEASED"}
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")


class Flow:
    """One order and the requests that moved it, each with a correlation id and a trace of its own."""

    def __init__(self, system):
        self.system, self.shop = system, system.shop
        self.requests = []  # (correlation id, trace id, trace flags)
        self.order = None

    def send(self, method, path, body=None):
        correlation, trace = f"corr-{uuid.uuid4().hex}", uuid.uuid4().hex
        flags = ("01", "00")[len(self.requests) % 2]  # sampled or not is the caller's decision
        headers = {"X-Correlation-ID": correlation, "traceparent": f"00-{trace}-00f067aa0ba902b7-{flags}", "tracestate": f"shop={trace[:8]}"}
        self.requests.append((correlation, trace, flags))
        answer = self.shop.orders.call(method, path, body, headers)
        assert answer.headers["x-correlation-id"] == correlation
        return answer.expect(201 if path == "/api/orders" else 200)

    def place(self, *lines, **more):
        items = [{"sku": sku, "quantity": quantity, "unitAmount": amount} for sku, quantity, amount in lines]
        body = {"customerId": CUSTOMER, "currency": "GBP", "items": items, "shippingAddress": ADDRESS} | more
        self.order = self.send("POST", "/api/orders", body)["id"]
        return self

    def patch(self, body):
        self.send("PATCH", f"/api/orders/{self.order}", body)
        return self

    def change(self, action, body=None):
        self.send("POST", f"/api/orders/{self.order}/{action}", body)
        return self


# The topics of the events of each order: of the order service, then of inventory, each by ce_sequence.
PUBLISHED = {
    "delivered": (["ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_STATUS_UPDATED", "ORDER_STATUS_UPDATED", "ORDER_DELIVERED"],
                  ["INVENTORY_RESERVED"]),
    "cancelled": (["ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_CANCELLED"], ["INVENTORY_RESERVED", "INVENTORY_RELEASED"]),
    "short": (["ORDER_CREATED", "ORDER_CANCELLED"], ["INVENTORY_RESERVATION_FAILED", "INVENTORY_RELEASED"]),
    "shipped without shipment": (["ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_STATUS_UPDATED", "ORDER_STATUS_UPDATED"], ["INVENTORY_RESERVED"]),
    "corrected": (["ORDER_CREATED", "ORDER_STATUS_UPDATED", "ORDER_UPDATED", "ORDER_STATUS_UPDATED", "ORDER_STATUS_UPDATED", "ORDER_UPDATED"],
                  ["INVENTORY_RESERVED"]),
}


@pytest.fixture(scope="module")
def flows(system):
    """{name: Flow}, all complete."""
    inventory = system.client("inventory")
    for sku, on_hand in (("EV-1", 100), ("EV 2/b", 100), ("EV-SCARCE", 1)):
        inventory.post("/api/inventory/items", {"sku": sku, "name": "A thing", "onHand": on_hand}).expect(201)
    delivered = Flow(system).place(("EV-1", 2, 250), ("EV 2/b", 1, 199), ("EV-1", 3, 0), shippingAmount=495, externalRef="EV", metadata={"a": [1, 2.50]},
                                   deliveryInstructions="at the back")
    cancelled = Flow(system).place(("EV-1", 1, 250))
    short = Flow(system).place(("EV-SCARCE", 2, 100), ("EV-NONE", 1, 100), ("EV-1", 1, 1))
    plain = Flow(system).place(("EV-1", 1, 250))
    corrected = Flow(system).place(("EV-1", 1, 250), externalRef="wrong")
    for flow in (delivered, cancelled, plain, corrected):
        system.shop.becomes(flow.order, "CONFIRMED")
    system.shop.becomes(short.order, "CANCELLED")
    delivered.change("process").change("ship", {"carrier": "Royal Mail", "trackingNumber": "RM1"}).change("deliver")
    cancelled.change("cancel", {"reason": "CHANGED_MIND"})
    plain.change("process").change("ship")
    corrected.patch({"shippingAddress": {"line1": "2 Low Street"}, "externalRef": None}).change("process").change("ship", {"carrier": "Royal Mail"})
    corrected.patch({"shipment": {"trackingNumber": "RM2"}})
    made = {"corrected": corrected, "delivered": delivered, "cancelled": cancelled, "short": short, "shipped without shipment": plain}
    for flow in (delivered, plain, corrected):
        wait_until(lambda flow=flow: system.shop.reservations(flow.order)[0]["status"] == "FULFILLED", what="the shipment")
    system.shop.saga_becomes(cancelled.order, "ORDER_CANCELLATION", "COMPLETED")
    return made


@pytest.fixture(scope="module")
def published(system, flows):
    """{name: (events of orders, events of inventory)}, each in the order of ce_sequence."""
    at_least = {flows[name].order: sum(map(len, topics)) for name, topics in PUBLISHED.items()}
    events = events_of(system, list(at_least), at_least)
    return {name: tuple(sorted((event for event in events[flow.order] if (event.topic in INVENTORY) is of_stock), key=lambda event: event.sequence)
                        for of_stock in (False, True)) for name, flow in flows.items()}


def everything(published):
    return [event for pair in published.values() for events in pair for event in events]


def test_the_topics_are_there(system, published):
    assert set(TOPICS) <= set(system.topics.names())


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_order_has_its_events_and_no_others(published, system, name):
    assert tuple([event.topic for event in events] for events in published[name]) == PUBLISHED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_sequence_of_an_order_has_no_gap(published, system, name):
    for events in published[name]:
        assert [event.header("ce_sequence") for event in events] == [str(number + 1) for number in range(len(events))]
        assert [event.header("ce_time") for event in events] == sorted(event.header("ce_time") for event in events)


def test_events_of_an_order_stand_in_order_in_each_topic(published, system, flows):
    """As they lie in the log: of one key in one partition, by sequence."""
    places = collections.defaultdict(list)
    for event in everything(published):
        places[event.topic, event.key].append((event.partition, event.offset, event.sequence))
    for (topic, _), found in places.items():
        assert len({partition for partition, _, _ in found}) == 1, topic
        assert [sequence for _, _, sequence in sorted(found)] == sorted(sequence for _, _, sequence in found), topic
    by_topic = collections.defaultdict(set)
    for event in everything(published):
        by_topic[event.key].add(event.partition)
    assert all(len(partitions) == 1 for partitions in by_topic.values()), "an order has the same partition in all topics"


def test_each_event_is_a_cloud_event(published, system):
    for event in everything(published):
        names = [name for name, _ in event.headers]
        assert len(set(names)) == len(names) and REQUIRED <= set(names), names
        assert event.header("ce_specversion") == "1.0"
        assert str(uuid.UUID(event.id)) == event.id
        assert event.header("ce_type") == event.topic
        assert event.header("ce_subject") == event.key == json.loads(event.value)["orderId"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event.header("ce_time"))
        assert event.header("content-type") == "application/json"
    sources = {of_stock: {event.header("ce_source") for event in everything(published) if (event.topic in INVENTORY) is of_stock} for of_stock in (True, False)}
    assert sources == {False: {"/trackops/orders"}, True: {"/trackops/inventory"}}
    ids = [event.id for event in everything(published)]
    assert len(set(ids)) == len(ids)


def test_each_event_is_as_the_contract_has_it(published, system):
    contract = Events()
    faults = [fault for event in everything(published) for fault in contract.faults_of(event.topic, event.key, dict(event.headers), event.value)]
    assert not faults
    headers = {name for event in everything(published) for name, _ in event.headers}
    assert headers == set(contract.seen(contract.headers_schema(contract.message("ORDER_CREATED")))["properties"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_event_has_its_golden_payload(published, system, flows, name):
    names = {flows[name].order: "<order>", CUSTOMER: "<customer>"}
    for events in published[name]:
        for event in events:
            seen = normalised({"key": event.key, "value": json.loads(event.value)}, names)
            if "cancelledBy" in seen["value"]:
                assert seen["value"].pop("cancelledBy")
            # Members may be added, never renamed or left out.
            EVENTS.check(f"{name}: {'inventory' if event.topic in INVENTORY else 'order'} {event.sequence}: {event.topic}", seen, is_open=True)


def test_no_event_holds_personal_data(published, system):
    for event in everything(published):
        for secret in ("Lovelace", "St James", "SW1Y", "+44", "at the back"):
            assert secret not in event.value.decode() + repr(event.headers)


def test_every_golden_event_is_published(published, system):
    wanted = [f"{name}: {service} {number}: {topic}" for name, topics in PUBLISHED.items() for service, of_service in zip(("order", "inventory"), topics)
              for number, topic in enumerate(of_service, 1)]
    assert sorted(EVENTS.cases) == sorted(wanted)


def causes(published, flows, name):
    """(event, the request it goes back to, its cause: that request's correlation id, or another event's id)."""
    orders, stock = published[name]
    requests = flows[name].requests
    place = requests[0]
    rows = [(orders[0], place, place[0]), (stock[0], place, orders[0].id), (orders[1], place, stock[0].id)]
    rows += [(event, request, request[0]) for event, request in zip(orders[2:], requests[1:])]
    if len(stock) > 1:  # the release answers the cancellation, which is the last event of the order
        rows.append((stock[1], requests[-1], orders[-1].id))
    assert len(rows) == len(orders) + len(stock)
    return rows


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_correlation_id_of_a_request_reaches_each_of_its_events(published, system, flows, name):
    for event, (correlation, _, _), _ in causes(published, flows, name):
        assert event.header("ce_correlationid") == correlation, (event.topic, event.sequence)


@pytest.mark.parametrize("name", PUBLISHED)
def test_each_event_names_its_cause(published, system, flows, name):
    for event, _, cause in causes(published, flows, name):
        assert event.header("ce_causationid") == cause, (event.topic, event.sequence)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_trace_of_a_request_reaches_each_of_its_events(published, system, flows, name):
    for event, (_, trace, flags), _ in causes(published, flows, name):
        assert TRACEPARENT.fullmatch(event.header("traceparent")).groups() == (trace, flags), (event.topic, event.sequence)
        assert event.header("tracestate") == f"shop={trace[:8]}", (event.topic, event.sequence)


def test_a_generated_correlation_id_reaches_each_event(system):
    shop = system.shop
    sku = shop.new_sku(5)
    answer = shop.orders.post("/api/orders", {"customerId": CUSTOMER, "currency": "GBP", "items": [{"sku": sku, "quantity": 1, "unitAmount": 1}],
                                              "shippingAddress": ADDRESS})
    order = answer.expect(201)["id"]
    events = events_of(system, [order], {order: 3})[order]
    assert {event.header("ce_correlationid") for event in events} == {answer.headers["x-correlation-id"]}
    traces = {TRACEPARENT.fullmatch(event.header("traceparent"))[1] for event in events}
    assert len(traces) == 1 and not any(event.header("tracestate") for event in events)


def test_the_timeline_leads_to_the_events_and_their_causes(published, system, flows):
    for name, (orders, _) in published.items():
        timeline = system.shop.orders.get(f"/api/orders/{flows[name].order}/timeline").expect(200)["items"]
        assert [entry["eventId"] for entry in timeline] == [event.id for event in orders]
        assert [entry["version"] for entry in timeline] == [json.loads(event.value)["version"] for event in orders] == list(range(1, len(orders) + 1))


# Rows after the flows: status and version of the order; (type, status) of its sagas; status of its reservation, None without one.
ROWS = {
    "delivered": (("DELIVERED", 5), [("ORDER_FULFILMENT", "COMPLETED")], "FULFILLED"),
    "cancelled": (("CANCELLED", 3), [("ORDER_CANCELLATION", "COMPLETED"), ("ORDER_FULFILMENT", "COMPLETED")], "RELEASED"),
    "short": (("CANCELLED", 2), [("ORDER_FULFILMENT", "COMPENSATED")], None),
    "shipped without shipment": (("SHIPPED", 4), [("ORDER_FULFILMENT", "COMPLETED")], "FULFILLED"),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_tables_agree_with_the_api(published, system, flows, name):
    orders, stock = Database(system.order_database), Database(system.inventory_database)
    order, ((status, version), sagas, reservation) = flows[name].order, ROWS[name]
    assert orders.rows(f"SELECT status, version, total_amount, currency FROM orders WHERE id = '{order}'") == [
        (status, str(version), str(system.shop.order(order)["totalAmount"]), "GBP")]
    lines = [(line["sku"], str(line["quantity"]), str(line["unitAmount"])) for line in system.shop.order(order)["items"]]
    assert sorted(orders.rows(f"SELECT sku, quantity, unit_amount FROM order_items WHERE order_id = '{order}'")) == sorted(lines)
    assert orders.rows(f"SELECT type, status FROM saga_instances WHERE order_id = '{order}' ORDER BY type") == sagas
    steps = (f"SELECT saga_steps.status FROM saga_steps JOIN saga_instances ON saga_instances.id = saga_id WHERE order_id = '{order}' "
             "AND saga_steps.status IN ('PENDING', 'RUNNING')")
    assert orders.rows(steps) == []
    if reservation:
        assert stock.rows(f"SELECT status FROM inventory_reservations WHERE order_id = '{order}'") == [(reservation,)]


@pytest.mark.parametrize("name", ROWS)
def test_the_outboxes_agree_with_the_topics(published, system, flows, name):
    order = flows[name].order
    for database, events in zip((system.order_database, system.inventory_database), published[name]):
        rows = Database(database).rows(f"SELECT event_id, type FROM outbox_events WHERE aggregate_id = '{order}'")
        assert sorted(rows) == sorted((event.id, event.topic) for event in events)


@pytest.mark.parametrize("name", ROWS)
def test_each_consumed_event_is_in_processed_events_once(published, system, flows, name):
    orders, stock = published[name]
    for database, events in ((system.order_database, stock), (system.inventory_database, [event for event in orders if event.topic in (
            "ORDER_CREATED", "ORDER_CANCELLED") or b"SHIPPED" in event.value])):
        ids = ",".join(f"'{event.id}'" for event in events)
        noted = wait_until(lambda d=database, i=ids, n=len(events): (lambda rows: rows if len(rows) >= n else None)(
            Database(d).rows(f"SELECT event_id FROM processed_events WHERE event_id IN ({i}) ORDER BY 1")), what="every event being noted")
        assert noted == sorted((event.id,) for event in events)


def test_the_stock_adds_up(published, system):
    rows = Database(system.inventory_database).rows("SELECT sku, on_hand, reserved FROM inventory_items WHERE sku LIKE 'EV%' ORDER BY sku")
    assert sorted(rows) == [("EV 2/b", "99", "0"), ("EV-1", "93", "0"), ("EV-SCARCE", "1", "0")]
