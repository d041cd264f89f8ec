"""Mistakes that newcomers make, and what the answer teaches: which value is wrong, what would be right, an example."""
import json
import re
import subprocess
import typing

import pytest

from cases import ADDRESS, JSON, NO_ID, line, order_body
from harness import PROGRAM
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

ORDERS, ITEMS, RESERVATIONS = "/api/orders", "/api/inventory/items", "/api/inventory/reservations"


class Mistake(typing.NamedTuple):
    name: str
    words: tuple  # that the answer must contain, in `detail` or in a fault's `detail`
    path: str
    body: object = None  # None: a GET
    status: int = 422
    code: str = "invalid-request"
    pointer: str | None = None  # of the fault that has the words; None: they stand in the answer's `detail`
    headers: dict = {}
    method: str = "POST"
    service: str = "order"


def order(name, pointer, *words, **changes):
    return Mistake(name, words, ORDERS, order_body(**changes), pointer=pointer)


def of_line(name, member, *words, **changes):
    return Mistake(name, words, ORDERS, line(**changes), pointer=f"/items/0/{member}")


def address(name, member, *words, **changes):
    return Mistake(name, words, ORDERS, order_body(shippingAddress=ADDRESS | changes), pointer=f"/shippingAddress/{member}")


def text(name, body, *words, **more):
    return Mistake(name, words, ORDERS, body, **({"status": 400, "code": "malformed-request"} | more))


def query(parameter, value, *words, path=ORDERS, service="order"):
    return Mistake(f"{path}?{parameter}={value}", words, f"{path}?{parameter}={value}", pointer=parameter, service=service)


def lost(service, path, *words):
    return Mistake(f"{service} {path}", words, path, status=404, code="not-found", service=service)


def renamed(name, to, body=None):
    """The member under another name."""
    body = dict(body or order_body())
    body[to] = body.pop(name)
    return body


def renamed_in_line(name, to):
    whole = line()
    return whole | {"items": [renamed(name, to, whole["items"][0])]}


MONEY = ("integer in the smallest unit", "1999 for 19.99")
CURRENCY = ("ISO 4217", "in capitals", "such as GBP")
COUNTRY = ("ISO 3166-1", "in capitals", "such as GB")
TIME = ("such as 2026-11-30T18:00:00Z", "or a date, such as 2026-11-30")
KEY = ("needs an Idempotency-Key", "the same one for each repeat")

MISTAKES = [
    # Money, quantities, codes
    order("currency in small letters", "/currency", *CURRENCY, currency="gbp"),
    order("a currency that there is not", "/currency", *CURRENCY, currency="XYQ"),
    order("the sign of a currency", "/currency", *CURRENCY, currency="\u00a3"),
    of_line("a price with decimals", "unitAmount", *MONEY, unitAmount=19.99),
    of_line("a price as text", "unitAmount", *MONEY, unitAmount="19.99"),
    of_line("a price with its sign", "unitAmount", *MONEY, unitAmount="$5"),
    of_line("a negative price", "unitAmount", "between 0 and", unitAmount=-1),
    of_line("no units", "quantity", "between 1 and 1000000", quantity=0),
    of_line("half a unit", "quantity", "must be an integer", quantity=1.5),
    of_line("units as text", "quantity", "must be an integer", quantity="2"),
    of_line("too many units", "quantity", "between 1 and 1000000", quantity=10**9),
    order("another total", "/totalAmount", "is 1, but lines 500, shipping 0 and adjustments 0 come to 500", totalAmount=1),
    # Customers and addresses
    order("a customer's number", "/customerId", "must be a string", customerId=42),
    order("an empty customer", "/customerId", "must not be empty", customerId=""),
    order("no customer", "/customerId", "is required", customerId=None),
    order("a long customer", "/customerId", "between 1 and 64 characters, and has 70", customerId="c" * 70),
    address("the name of a country", "country", *COUNTRY, country="United Kingdom"),
    address("a usual false code", "country", *COUNTRY, country="UK"),
    address("a country in small letters", "country", *COUNTRY, country="gb"),
    address("a postal code of elsewhere", "postalCode", "must be a postal code of GB", "such as SW1Y 4JH", postalCode="12345"),
    # JSON
    text("JSON that is cut", b'{"a": ', "line 1, column 7", "the text ends where a value is expected"),
    text("a comma too many", b'{"customerId":"a",}', "line 1, column 19", "a comma stands before the closing bracket"),
    text("a comma too few", b'{\n "customerId": "a"\n "currency": "GBP"}', "line 3, column 2", "',' or '}' is expected"),
    text("single quotes", b"{'a':1}", "line 1, column 2", "in double quotes"),
    Mistake("an empty body", ("is required",), ORDERS, b"", pointer="/items", headers=JSON),
    Mistake("an array", ("must be an object",), ORDERS, [order_body()], pointer=""),
    # Headers
    text("a form", "a=1", "must be application/json, and is application/x-www-form-urlencoded", status=415, code="unsupported-media-type",
         headers={"Content-Type": "application/x-www-form-urlencoded"}),
    text("another charset", json.dumps(order_body()), "must be utf-8, and is latin1", status=415, code="unsupported-media-type",
         headers={"Content-Type": "application/json; charset=latin1"}),
    text("a compressed body", json.dumps(order_body()), "must not be compressed, and its Content-Encoding is gzip", status=415, code="unsupported-media-type",
         headers=JSON | {"Content-Encoding": "gzip"}),
    Mistake("an order without a key", KEY, ORDERS, order_body(), 428, "precondition-required", headers={"Idempotency-Key": None}),
    Mistake("an adjustment without a key", KEY, f"{ITEMS}/C-1/adjustments", {"delta": 1, "reason": "x"}, 428, "precondition-required",
            headers={"Idempotency-Key": None}, service="inventory"),
    # Names
    Mistake("a name in snake case", ("did you mean customerId?",), ORDERS, renamed("customerId", "customer_id"), pointer="/customer_id"),
    Mistake("another word for an address", ("known are", "shippingAddress"), ORDERS, renamed("shippingAddress", "deliverTo"), pointer="/deliverTo"),
    Mistake("a short word for a quantity", ("known are", "quantity"), ORDERS, renamed_in_line("quantity", "qty"), pointer="/items/0/qty"),
    Mistake("another word for an amount", ("known are", "unitAmount"), ORDERS, renamed_in_line("unitAmount", "price"), pointer="/items/0/price"),
    Mistake("a zip code", ("known are", "postalCode"), ORDERS, order_body(shippingAddress=renamed("postalCode", "zip", ADDRESS)), pointer="/shippingAddress/zip"),
    Mistake("the quantity of an item", ("known are", "onHand"), ITEMS, {"sku": "C-9", "name": "A", "quantity": 1}, pointer="/quantity", service="inventory"),
    # Queries
    query("state", "PENDING", "did you mean status?"),
    query("colour", "red", "known are status, customerId, sku"),
    query("status", "done", "PENDING, CONFIRMED, PROCESSING, SHIPPED, DELIVERED or CANCELLED"),
    query("status", "done", "must be RESERVED, FULFILLED, RELEASED or EXPIRED", path=RESERVATIONS, service="inventory"),
    query("limit", "1000", "between 1 and 500"),
    query("limit", "ten", "must be a whole number between 1 and 500"),
    query("cursor", "abc", "must be the nextCursor of a page of this list"),
    query("cursor", "abc", "must be the nextCursor of a page of this list", path="/api/relay/events", service="relay"),
    query("createdFrom", "30.11.2026", *TIME),
    query("createdFrom", "yesterday", *TIME),
    Mistake("a time that ends before it begins", ("must not be before createdFrom",), f"{ORDERS}?createdFrom=2026-12-01&createdTo=2026-11-01",
            pointer="createdTo"),
    query("sort", "price", "createdAt (the newest first) or updatedAt"),
    query("stuck", "maybe", "must be true or false"),
    # Paths
    lost("order", f"{ORDERS}/{NO_ID}", "no order has this id"),
    lost("order", f"{ORDERS}/42", "no order has this id"),
    lost("order", "/api/order", "did you mean /api/orders?"),
    lost("order", "/orders", "did you mean /api/orders?"),
    lost("order", "/api/v1/orders", "did you mean /api/orders?"),
    lost("order", "/health", "did you mean /actuator/health?"),
    lost("order", "/metrics", "did you mean /actuator/metrics?"),
    lost("order", "/api/inventory/items", "inventory-service", "port 8081 by default"),
    lost("order", "/api/items", "/api/inventory/items", "inventory-service"),
    lost("order", "/api/items/X", "/api/inventory/items", "inventory-service"),
    lost("order", "/api/relay/status", "event-relay-service", "port 8082 by default"),
    lost("inventory", ORDERS, "order-service", "port 8080 by default"),
    lost("inventory", "/orders/7", "order-service", "port 8080 by default"),
    lost("inventory", "/api/items", "did you mean /api/inventory/items?"),
    lost("relay", "/api/customers/c1", "order-service", "port 8080 by default"),
    lost("inventory", "/api/inventory/itmes", "did you mean /api/inventory/items?"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.name for mistake in MISTAKES])
def test_a_mistake_is_told_what_would_be_right(system, mistake):
    client = system.client(mistake.service)
    answer = client.call("GET" if mistake.body is None else mistake.method, mistake.path, mistake.body, mistake.headers)
    problem = answer.problem(mistake.status, mistake.code)
    told = problem["detail"] if mistake.pointer is None else \
        next((fault["detail"] for fault in problem["errors"] if fault["pointer"] == mistake.pointer), f"no fault at {mistake.pointer}: {problem['errors']}")
    for words in mistake.words:
        assert words in told


@pytest.mark.parametrize("step,words", [
    ("ship", ("is CONFIRMED and cannot be shipped", "it can be processed or cancelled")), ("deliver", ("is CONFIRMED and cannot be delivered",))])
def test_a_step_too_early_is_told_what_is_possible(system, step, words):
    detail = system.client().call("POST", f"{ORDERS}/{confirmed(system)}/{step}").problem(409, "illegal-transition")["detail"]
    for each in words:
        assert each in detail


def confirmed(system):
    sku = system.shop.new_sku(5)
    body = order_body() | {"items": [{"sku": sku, "quantity": 1, "unitAmount": 1}]}
    created = system.client().post(f"{ORDERS}?wait=confirmed", body).expect(201)
    system.shop.becomes(created["id"], "CONFIRMED")
    return created["id"]


def test_a_stale_version_is_told_the_present_one(system):
    order_id = confirmed(system)
    answer = system.client().call("POST", f"{ORDERS}/{order_id}/cancel", None, {"If-Match": '"77"'})
    assert "version 2" in answer.problem(412, "precondition-failed")["detail"]
    sku = system.shop.new_sku(1)
    answer = system.client("inventory").call("PATCH", f"{ITEMS}/{sku}", {"name": "B"}, {"If-Match": '"77"'})
    assert "version 1" in answer.problem(412, "precondition-failed")["detail"]


def test_an_unknown_sku_is_the_reason_of_a_refusal(system):
    order_of_it = system.client().post(f"{ORDERS}?wait=confirmed", line(sku="no-such-sku")).expect(201)
    system.shop.becomes(order_of_it["id"], "CANCELLED")
    order_of_it = system.client().get(f"{ORDERS}/{order_of_it['id']}").expect(200)
    assert order_of_it["cancelReason"] == "UNKNOWN_SKU"
    assert [(one["sku"], one["reason"]) for one in order_of_it["cancelDetails"]] == [("no-such-sku", "UNKNOWN_SKU")]


def test_another_body_under_a_used_key_is_told_when_it_was_used(system):
    key = {"Idempotency-Key": f"mistake-{system.shop.new_sku(1)}"}
    system.client().post(ORDERS, order_body(), key).expect(201)
    detail = system.client().post(ORDERS, order_body(externalRef="other"), key).problem(422, "idempotency-key-reused")["detail"]
    assert "was used with another body at 20" in detail and "another request needs another key" in detail


def test_a_path_of_another_service_is_told_which(system):
    rows = json.loads(subprocess.run([PROGRAM, "routes", "--json"], capture_output=True, text=True, timeout=60, check=True).stdout)
    owners = {}
    for row in rows:
        if row["pattern"].startswith("/api/"):
            owners.setdefault("/".join(row["pattern"].split("/")[:3]), set()).add(row["service"])
    names = {"order": "order-service", "inventory": "inventory-service", "relay": "event-relay-service"}
    told = 0
    for row in rows:
        its = owners.get("/".join(row["pattern"].split("/")[:3]), names.keys())
        for other in names.keys() - its:
            path = re.sub(r"{.*?}", "x", row["pattern"])
            detail = system.client(other).get(path).problem(404, "not-found")["detail"]
            if len(its) == 1 or any(name in detail for name in names.values()):
                assert any(names[owner] in detail for owner in its), f"{other} {path}: {detail}"
                told += 1
    assert told > 50
