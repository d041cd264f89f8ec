"""The shape of every successful answer as the golden file says. Members may be added, never renamed or left out."""
import json
import re
import uuid

import pytest

from golden import Golden, normalised
from harness import wait_until
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

ANSWERS = Golden("answers")
CUSTOMER = "7d6f0a52-1c55-4f0e-9a3d-6f0f0b1f2c33"
ORDER = {
    "customerId": CUSTOMER, "currency": "GBP", "shippingAmount": 495, "totalAmount": 2495, "externalRef": "AN-1",
    "items": [{"sku": "AN-1", "quantity": 2, "unitAmount": 250, "name": "A thing"}, {"sku": "AN-2", "quantity": 3, "unitAmount": 500}],
    "shippingAddress": {"recipient": "A. Lovelace", "line1": "12 St James's Square", "line2": "Flat 1", "city": "London", "region": "Greater London",
                        "postalCode": "SW1Y 4JH", "country": "GB", "phone": "+44 20 7946 0000"},
    "deliveryInstructions": "leave it “at the back”", "metadata": {"a": [1, True, None, "é"], "b": {"c": 12345678901234567}}}
ITEM = {"sku": "AN-1", "name": "A thing", "description": "of use", "category": "things", "unitAmount": 250, "currency": "GBP", "onHand": 10,
        "lowStockThreshold": 3}
RELAY_NUMBERS = ("backlog", "oldestAgeMs", "publishedTotal", "eventsPerSecond")


class World:
    """An order that was shipped and one that was cancelled, with the answers on the way by name."""

    def __init__(self, system):
        self.system, self.answers = system, {}
        self.orders, self.stock = system.client("order"), system.client("inventory")
        self.keep("create an item", self.stock.post("/api/inventory/items", ITEM), 201)
        self.keep("create an item of the least", self.stock.post("/api/inventory/items", {"sku": "AN-2", "name": "Another"}), 201)
        self.keep("change an item", self.stock.call("PATCH", "/api/inventory/items/AN-2", {"unitAmount": 1, "currency": "EUR"}))
        self.keep("adjust stock", self.stock.post("/api/inventory/items/AN-2/adjustments", {"delta": 7, "reason": "FOUND", "expectedOnHand": 0},
                                                  {"Idempotency-Key": "answers"}))
        self.order = self.keep("place an order", self.orders.post("/api/orders", ORDER), 201)["id"]
        self.path = f"/api/orders/{self.order}"
        system.shop.becomes(self.order, "CONFIRMED")
        system.shop.saga_becomes(self.order, "ORDER_FULFILMENT", "COMPLETED")
        self.keep("an order", self.orders.get(self.path))
        self.keep("the status of an order", self.orders.get(f"{self.path}/status"))
        self.keep("process an order", self.orders.post(f"{self.path}/process"))
        self.keep("ship an order", self.orders.post(f"{self.path}/ship", {"carrier": "Royal Mail", "trackingNumber": "RM1"}))
        wait_until(lambda: system.shop.reservations(self.order)[0]["status"] == "FULFILLED", what="the shipment")
        self.keep("deliver an order", self.orders.post(f"{self.path}/deliver", {}))
        other = self.orders.post("/api/orders?wait=confirmed", ORDER | {"metadata": None, "externalRef": None}).expect(201)["id"]
        self.other = f"/api/orders/{other}"
        self.keep("cancel an order", self.orders.post(f"{self.other}/cancel", {"reason": "CHANGED_MIND"}))
        system.shop.saga_becomes(other, "ORDER_CANCELLATION", "COMPLETED")
        self.keep("the status of a cancelled order", self.orders.get(f"{self.other}/status"))
        self.keep("the timeline of an order", self.orders.get(f"{self.path}/timeline"))
        self.keep("the timeline of a cancelled order", self.orders.get(f"{self.other}/timeline"))
        self.keep("sagas", self.orders.get(f"/api/sagas?orderId={other}"))
        self.keep("orders", self.orders.get(f"/api/orders?customerId={CUSTOMER}&externalRef=AN-1"))
        self.keep("an item", self.stock.get("/api/inventory/items/AN-1"))
        self.keep("items", self.stock.get("/api/inventory/items?q=AN-&limit=1"))
        self.keep("the ledger", self.stock.get("/api/inventory/items/AN-1/movements"))
        self.keep("reservations", self.stock.get("/api/inventory/reservations?sku=AN-1"))
        self.keep("availability", self.stock.get("/api/inventory/availability?sku=AN-2&sku=AN-1&sku=AN-3"))

    def keep(self, name, answer, status=200):
        self.answers[name] = answer
        return answer.expect(status)


@pytest.fixture(scope="module")
def world(system):
    return World(system)


NAMES = ["create an item", "create an item of the least", "change an item", "adjust stock", "place an order", "an order", "the status of an order",
         "process an order", "ship an order", "deliver an order", "cancel an order", "the status of a cancelled order", "the timeline of an order",
         "the timeline of a cancelled order", "sagas", "orders", "an item", "items", "the ledger", "reservations", "availability"]
SERVICES = ["order", "inventory", "relay"]


def without(value, *names):
    """Returns the value with <any> for these members at any depth, unless they are null or empty."""
    if isinstance(value, dict):
        return {name: "<any>" if name in names and member not in ("", None) else without(member, *names) for name, member in value.items()}
    return [without(element, *names) for element in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_has_its_golden_shape(system, world, name):
    answer = world.answers[name]
    assert answer.headers["content-type"] == "application/json"
    assert (int(answer.headers["content-length"]), answer.headers["cache-control"]) == (len(answer.body), "no-store")
    names = {CUSTOMER: "<customer>", world.order: "<order>", world.other.rsplit("/", 1)[1]: "<other order>"}
    body = without(normalised(answer.json(), names), "actor", "cause", "position", "nextCursor")
    headers = {header: normalised(answer.headers[header], names) for header in ("etag", "location", "link") if header in answer.headers}
    if "link" in headers:
        headers["link"] = re.sub("cursor=[^>]*", "cursor=<any>", headers["link"])
    if name in ("an item", "items"):  # how many versions orders make of an item is not promised
        body = without(body, "version")
        headers.pop("etag", None)
    ANSWERS.check(name, {"status": answer.status, "headers": headers, "body": body}, is_open=True)


def test_numbers_and_texts_come_back_as_they_were(system, world):
    order = world.answers["place an order"].json()
    for name in ("metadata", "deliveryInstructions", "shippingAddress", "externalRef", "currency"):
        assert order[name] == ORDER[name]
    assert b"12345678901234567" in world.answers["an order"].body


def test_lines_of_items_are_written_one_by_one(system):
    tag = uuid.uuid4().hex[:8]
    lines = [json.dumps({"sku": f"AN-{tag}-1", "name": "One", "onHand": 3}), "", '{"sku": ', json.dumps({"sku": f"AN-{tag}-2"}), " \t\r",
             json.dumps({"sku": f"AN-{tag}-3", "name": "Three", "colour": "red", "onHand": -1}),
             json.dumps({"sku": f"AN-{tag}-4", "name": "Four"})]
    client, kind = system.client("inventory"), {"Content-Type": "application/x-ndjson"}
    answer = client.post("/api/inventory/items/bulk", "\n".join(lines).encode(), kind)
    outcomes = [json.loads(line.replace(tag, "TAG")) for line in answer.body.decode().splitlines()]
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    for outcome in outcomes:
        if outcome["status"] == 400 or "colour" in str(outcome):  # the contract promises other texts
            outcome.pop("detail")
            for fault in outcome.get("errors", []):
                fault.pop("detail")
    ANSWERS.check("lines of items", outcomes, is_open=True)
    again = client.post("/api/inventory/items/bulk", json.dumps({"sku": f"AN-{tag}-1", "name": "One again"}).encode(), kind)
    assert again.expect(200).items() >= {"line": 1, "sku": f"AN-{tag}-1", "status": 200, "version": 2}.items()
    item = client.get(f"/api/inventory/items/AN-{tag}-1").expect(200)
    assert (item["name"], item["onHand"]) == ("One again", 3)
    assert client.get(f"/api/inventory/items/AN-{tag}-3").status == 404


def test_the_relay_reports_its_state(system, world):
    relay = system.client("relay")
    status = wait_until(lambda: (lambda said: said if said["backlog"] == 0 else None)(relay.get("/api/relay/status").expect(200)), what="rest")
    for name in RELAY_NUMBERS:
        assert isinstance(status[name], (int, float))
    ANSWERS.check("the relay", without(status, "source", "position", *RELAY_NUMBERS), is_open=True)
    for action, is_paused in (("pause", True), ("pause", True), ("resume", False), ("resume", False)):
        assert relay.post(f"/api/relay/{action}").expect(200)["paused"] is is_paused
        assert relay.get("/api/relay/status").expect(200)["paused"] is is_paused


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness", "/actuator/info", "/actuator"])
def test_the_actuator_answers_as_spring_does(system, world, service, path):
    client = system.client(service)
    answer = wait_until(lambda: (lambda answer: answer if answer.status == 200 else None)(client.get(path)), what=f"{service} being UP")
    assert answer.headers["content-type"] == "application/vnd.spring-boot.actuator.v3+json"
    assert client.get(path, {"Accept": "application/json"}).headers["content-type"] == "application/json"
    body = json.loads(answer.body.decode().replace(str(system.ports[service]), "PORT"))
    ANSWERS.check(f"{service}: {path}", without(body, "details", "version", "compiler"), is_open=True)
    for name, health in body.get("components", {}).items():
        assert client.get(f"/actuator/health/{name}").expect(200)["status"] == health["status"] == "UP"


@pytest.mark.parametrize("service", SERVICES)
def test_prometheus_can_scrape(system, service):
    answer = system.client(service).get("/actuator/prometheus")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b"http_server_requests_seconds" in answer.body


def test_every_golden_answer_is_asked_for(system, world):
    paths = ["/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness", "/actuator/info", "/actuator"]
    wanted = [*NAMES, "lines of items", "the relay", *(f"{service}: {path}" for service in SERVICES for path in paths)]
    assert sorted(ANSWERS.cases) == sorted(wanted)
