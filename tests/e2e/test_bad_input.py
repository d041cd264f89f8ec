"""Each kind of bad input gets the right problem and leaves no trace in any table."""
import json

import pytest

from databases import Database
from harness import Shop, order_body, send_raw, wait_until

GOOD = order_body(("A-1", 2))
JSON = {"Content-Type": "application/json"}


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


def with_line(**changes):
    return GOOD | {"items": [GOOD["items"][0] | changes]}


def nested(depth):
    return json.dumps(GOOD)[:-1].encode() + b', "metadata": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


# name, body, status, code, the pointers of all faults (None: the answer names none)
BODIES = [
    ("malformed", b'{"customerId": ', 400, "malformed-request", None),
    ("two values", json.dumps(GOOD).encode() * 2, 400, "malformed-request", None),
    ("a name twice", json.dumps(GOOD)[:-1].encode() + b', "currency": "EUR"}', 400, "malformed-request", None),
    ("invalid UTF-8", json.dumps(GOOD | {"externalRef": "?"}).encode().replace(b'"?"', b'"\xff\xfe"'), 400, "malformed-request", None),
    ("an overlong UTF-8 form", json.dumps(GOOD | {"externalRef": "?"}).encode().replace(b'"?"', b'"\xc0\xaf"'), 400, "malformed-request", None),
    ("a lone surrogate", json.dumps(GOOD | {"externalRef": "?"}).encode().replace(b'"?"', b'"\\ud800"'), 400, "malformed-request", None),
    ("an array", [GOOD], 422, "invalid-request", {""}),
    ("an empty object", {}, 422, "invalid-request", {"/customerId", "/currency", "/items", "/shippingAddress"}),
    ("too deep", nested(40), 422, "invalid-request", None),
    ("far too deep", nested(100_000), 422, "invalid-request", None),
    ("text for a number", with_line(quantity="2"), 422, "invalid-request", {"/items/0/quantity"}),
    ("a number for text", GOOD | {"externalRef": 7}, 422, "invalid-request", {"/externalRef"}),
    ("an object for an array", GOOD | {"items": {}}, 422, "invalid-request", {"/items"}),
    ("a fraction", with_line(quantity=1.5), 422, "invalid-request", {"/items/0/quantity"}),
    ("beyond 64 bits", with_line(unitAmount=2**70), 422, "invalid-request", {"/items/0/unitAmount"}),
    ("an unknown field", GOOD | {"colour": "red"}, 422, "invalid-request", {"/colour"}),
    ("an unknown field inside", with_line(**{"a/b~c": 1}), 422, "invalid-request", {"/items/0/a~1b~0c"}),
    ("many faults", with_line(quantity=0, sku="?") | {"currency": "ZZZ", "colour": 1, "customerId": "\u0007"}, 422, "invalid-request",
     {"/items/0/quantity", "/items/0/sku", "/currency", "/colour", "/customerId"}),
    ("no customer", without("customerId"), 422, "invalid-request", {"/customerId"}),
    ("no lines", GOOD | {"items": []}, 422, "invalid-request", {"/items"}),
    ("too many lines", GOOD | {"items": GOOD["items"] * 2001}, 422, "invalid-request", {"/items"}),
    ("nothing of it", with_line(quantity=0), 422, "invalid-request", {"/items/0/quantity"}),
    ("less than nothing", with_line(quantity=-1, unitAmount=-1), 422, "invalid-request", {"/items/0/quantity", "/items/0/unitAmount"}),
    ("too much of it", with_line(quantity=1_000_001), 422, "invalid-request", {"/items/0/quantity"}),
    ("an overlong SKU", with_line(sku="A" * 65), 422, "invalid-request", {"/items/0/sku"}),
    ("a SKU that starts with a space", with_line(sku=" A"), 422, "invalid-request", {"/items/0/sku"}),
    ("an overlong reference", GOOD | {"externalRef": "x" * 101}, 422, "invalid-request", {"/externalRef"}),
    ("NUL in text", GOOD | {"externalRef": "a\0b"}, 422, "invalid-request", {"/externalRef"}),
    ("NUL in a text of metadata", GOOD | {"metadata": {"a": ["b", {"c": "d\0"}]}}, 422, "invalid-request", {"/metadata"}),
    ("NUL in a name of metadata", GOOD | {"metadata": {"a": {"b\0": 1}}}, 422, "invalid-request", {"/metadata"}),
    ("an unknown currency", GOOD | {"currency": "gbp"}, 422, "invalid-request", {"/currency"}),
    ("an unknown country", GOOD | {"shippingAddress": GOOD["shippingAddress"] | {"country": "UK"}}, 422, "invalid-request",
     {"/shippingAddress/country"}),
    ("a total that is not the sum", GOOD | {"totalAmount": 1}, 422, "invalid-request", {"/totalAmount"}),
    ("metadata without end", GOOD | {"metadata": {"a": "x" * 20_000}}, 422, "invalid-request", {"/metadata"}),
]

# name, method, path, headers, body, status, code
REQUESTS = [
    ("another content type", "POST", "/api/orders", {"Content-Type": "text/plain"}, GOOD, 415, "unsupported-media-type"),
    ("an unknown path", "POST", "/api/order", JSON, GOOD, 404, "not-found"),
    ("a method the path does not know", "PATCH", "/api/orders", JSON, GOOD, 405, "method-not-allowed"),
    ("a method nobody knows", "BREW", "/api/orders", {}, None, 405, "method-not-allowed"),
    ("TRACE", "TRACE", "/api/orders", {}, None, 405, "method-not-allowed"),
    ("an unknown query name", "POST", "/api/orders?wiat=confirmed", JSON, GOOD, 422, "invalid-request"),
    ("an unknown query value", "POST", "/api/orders?wait=shipped", JSON, GOOD, 422, "invalid-request"),
    ("an overlong key", "POST", "/api/orders", {"Idempotency-Key": "k" * 256}, GOOD, 422, "invalid-request"),
    ("an empty key", "POST", "/api/orders", {"Idempotency-Key": '""'}, GOOD, 422, "invalid-request"),
    ("no such order", "POST", "/api/orders/0190aaaa-0000-7000-8000-000000000000/cancel", {}, None, 404, "not-found"),
    ("an id that is none", "GET", "/api/orders/7", {}, None, 404, "not-found"),
    ("an overlong id", "POST", "/api/orders/" + "a" * 4000 + "/cancel", {}, None, 404, "not-found"),
    ("a wrong status to list", "GET", "/api/orders?status=LOST", {}, None, 422, "invalid-request"),
    ("too long a page", "GET", "/api/orders?limit=501", {}, None, 422, "invalid-request"),
    ("a cursor that is none", "GET", "/api/orders?cursor=next", {}, None, 422, "invalid-request"),
    ("an If-Match that is none", "POST", "/api/orders/0190aaaa-0000-7000-8000-000000000000/cancel", {"If-Match": "1"}, None, 412,
     "precondition-failed"),
]

# of inventory: name, method, path, headers, body, status
STOCK_REQUESTS = [
    ("malformed", "POST", "/api/inventory/items", JSON, b"{", {400}),
    ("no name", "POST", "/api/inventory/items", {}, {"sku": "B-1", "onHand": 1}, {422}),
    ("less than nothing on hand", "POST", "/api/inventory/items", {}, {"sku": "B-1", "name": "b", "onHand": -1}, {422}),
    ("an unknown field", "POST", "/api/inventory/items", {}, {"sku": "B-1", "name": "b", "onHand": 1, "reserved": 1}, {422}),
    ("another content type", "POST", "/api/inventory/items", {"Content-Type": "text/csv"}, b"sku", {415}),
    ("an adjustment without a key", "POST", "/api/inventory/items/A-1/adjustments", {}, {"delta": 1, "reason": "RETURN"}, {428}),
    ("an adjustment of nothing", "POST", "/api/inventory/items/A-1/adjustments", {"Idempotency-Key": "1"}, {"delta": 0, "reason": "RETURN"}, {422}),
    ("an adjustment below nothing", "POST", "/api/inventory/items/A-1/adjustments", {"Idempotency-Key": "2"}, {"delta": -11, "reason": "LOST"},
     {409, 422}),
    ("an adjustment of what is not there", "POST", "/api/inventory/items/NONE/adjustments", {"Idempotency-Key": "3"},
     {"delta": 1, "reason": "RETURN"}, {404}),
    ("an item that is there already", "POST", "/api/inventory/items", {}, {"sku": "A-1", "name": "again", "onHand": 1}, {409}),
]


class RowCounts:
    """What every table of both services counts, and counted at first."""

    def __init__(self, program):
        self.databases = [Database(program.order_database), Database(program.inventory_database)]
        self.tables = [database.tables() for database in self.databases]
        self.before = self.now()

    def now(self):
        return [database.counts(tables) for database, tables in zip(self.databases, self.tables)]


@pytest.fixture(scope="module")
def quiet(shared_program):
    """A program at rest with one item and one order that was confirmed."""
    shop = Shop(shared_program)
    shop.inventory.post("/api/inventory/items", {"sku": "A-1", "name": "A thing", "onHand": 10}).expect(201)
    shop.place_confirmed(("A-1", 1))
    shop.comes_to_rest()
    for service in ("relay", "inventory"):  # each has a row that its relay makes with the first event
        relay = shared_program.client(service)
        wait_until(lambda relay=relay: relay.get("/api/relay/status").expect(200)["backlog"] == 0, 60, f"the relay of {service} having nothing to do")
    return shared_program


@pytest.fixture(scope="module")
def row_counts(quiet):
    return RowCounts(quiet)


@pytest.fixture
def no_trace(row_counts):
    yield
    assert row_counts.now() == row_counts.before


@pytest.mark.parametrize("name,body,status,code,pointers", BODIES, ids=[row[0] for row in BODIES])
def test_a_bad_body_is_named_and_leaves_no_trace(quiet, no_trace, name, body, status, code, pointers):
    problem = quiet.client().post("/api/orders", body).problem(status, code)
    found = [fault["pointer"] for fault in problem.get("errors", [])]
    assert pointers is None or (set(found) == pointers and len(found) == len(pointers)), problem


@pytest.mark.parametrize("name,method,path,headers,body,status,code", REQUESTS, ids=[row[0] for row in REQUESTS])
def test_a_bad_request_is_answered_and_leaves_no_trace(quiet, no_trace, name, method, path, headers, body, status, code):
    answer = quiet.client().call(method, path, body, headers)
    answer.problem(status, code)
    if status == 405:
        assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("name,method,path,headers,body,statuses", STOCK_REQUESTS, ids=[row[0] for row in STOCK_REQUESTS])
def test_a_bad_stock_request_is_answered_and_leaves_no_trace(quiet, no_trace, name, method, path, headers, body, statuses):
    answer = quiet.client("inventory").call(method, path, body, headers)
    assert answer.status in statuses, answer.body
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_no_body_is_no_order(quiet, no_trace):
    answer = quiet.client().post("/api/orders", b"")
    assert answer.status in (400, 422) and answer.headers["content-type"].startswith("application/problem+json")


def test_a_huge_body_is_refused_before_it_is_read(quiet, no_trace):
    head = b"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 50000000\r\n\r\n"
    send_raw(quiet.ports["order"], head + b" " * 50_000_000).problem(413, "too-large")


def test_a_huge_body_in_chunks_is_refused_as_well(quiet, no_trace):
    head = b"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    send_raw(quiet.ports["order"], head + chunk * 256).problem(413, "too-large")


def test_huge_headers_are_refused(quiet, no_trace):
    request = b"GET /api/orders HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n"
    assert send_raw(quiet.ports["order"], request).status == 431


def test_what_is_no_http_is_refused(quiet, no_trace):
    assert send_raw(quiet.ports["order"], b"HELO shop\r\n\r\n").status == 400


def test_no_content_type_is_no_json(quiet, no_trace):
    body = json.dumps(GOOD).encode()
    request = b"POST /api/orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: k\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    send_raw(quiet.ports["order"], request).problem(415, "unsupported-media-type")
