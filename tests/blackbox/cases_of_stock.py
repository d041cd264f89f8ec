"""Every refused request of the inventory service (8081) and of the relay (8082), a row each."""
from cases import NO_ID, Case, bad_keys, limits, no_such_method, refused_everywhere, unknown_query

ITEMS, ITEM, GONE = "/api/inventory/items", "/api/inventory/items/C-1", "/api/inventory/items/NONE"
ADJUST, RESERVATIONS, AVAILABILITY = f"{ITEM}/adjustments", "/api/inventory/reservations", "/api/inventory/availability"
GOOD = {"sku": "C-NEW", "name": "New", "onHand": 1}
RETURN = {"delta": 1, "reason": "RETURN"}
KEY = {"Idempotency-Key": "a-key-of-refusals"}


def with_key(rows):
    """The rows with an Idempotency-Key, which this call requires; rows about the key keep theirs."""
    return [row if "Idempotency-Key" in row.headers else row._replace(headers=row.headers | KEY) for row in rows]


def invalid_item(what, **changes):
    body = {field: value for field, value in (GOOD | changes).items() if value is not ...}
    return Case(f"POST {ITEMS}: {what}", "POST", ITEMS, 422, "invalid-request", body)


def invalid_patch(what, **body):
    return Case(f"PATCH {ITEM}: {what}", "PATCH", ITEM, 422, "invalid-request", body)


def invalid_adjustment(what, **changes):
    body = {field: value for field, value in (RETURN | changes).items() if value is not ...}
    return Case(f"POST {ADJUST}: {what}", "POST", ADJUST, 422, "invalid-request", body, KEY)


CREATING = refused_everywhere("POST", ITEMS, GOOD) + [
    invalid_item("no SKU", sku=...), invalid_item("an empty SKU", sku=""), invalid_item("an overlong SKU", sku="A" * 65),
    invalid_item("a SKU with a question mark", sku="A?"),
    invalid_item("no name", name=...), invalid_item("an empty name", name=""), invalid_item("an overlong name", name="x" * 201),
    invalid_item("a name with NUL", name="a\0b")._replace(has_free_wording=True),
    invalid_item("an overlong description", description="x" * 2001),
    invalid_item("an overlong category", category="x" * 101), invalid_item("less than nothing on hand", onHand=-1),
    invalid_item("a fraction on hand", onHand=0.5), invalid_item("too many on hand", onHand=2**62), invalid_item("text on hand", onHand="1"),
    invalid_item("a threshold below nothing", lowStockThreshold=-1), invalid_item("an amount without currency", unitAmount=1),
    invalid_item("a currency without amount", currency="GBP"), invalid_item("a currency that there is not", unitAmount=1, currency="ZZZ"),
    invalid_item("many faults, all named", sku="?", name="", onHand=-1),
    Case(f"POST {ITEMS}: what is there already", "POST", ITEMS, 409, "conflict", GOOD | {"sku": "C-1"}),
    unknown_query("POST", ITEMS)._replace(body=GOOD),
]

CHANGING = refused_everywhere("PATCH", ITEM, {"name": "New"}) + with_key(refused_everywhere("POST", ADJUST, RETURN)) + bad_keys("DELETE", ITEM, None) + [
    invalid_patch("a name that is cleared", name=None), invalid_patch("an empty name", name=""), invalid_patch("a name that is a number", name=7),
    invalid_patch("an amount without currency", unitAmount=1), invalid_patch("a currency that is cleared alone", currency=None),
    invalid_patch("a threshold that is text", lowStockThreshold="1"),
    invalid_adjustment("nothing", delta=0), invalid_adjustment("no delta", delta=...), invalid_adjustment("a fraction", delta=1.5),
    invalid_adjustment("beyond 64 bits", delta=2**70), invalid_adjustment("no reason", reason=...),
    invalid_adjustment("a reason in small letters", reason="return"), invalid_adjustment("a reason of the ledger's own", reason="SHIPMENT"),
    invalid_adjustment("an overlong reason", reason="A" * 65), invalid_adjustment("less than nothing expected", expectedOnHand=-1),
    Case(f"POST {ADJUST}: no key", "POST", ADJUST, 428, "precondition-required", RETURN),
    Case(f"POST {ADJUST}: fewer than are reserved", "POST", ADJUST, 409, "conflict", RETURN | {"delta": -9}, KEY),
    Case(f"POST {ADJUST}: below nothing", "POST", ADJUST, 409, "conflict", RETURN | {"delta": -11}, KEY),
    Case(f"POST {ADJUST}: another count than expected", "POST", ADJUST, 409, "conflict", RETURN | {"expectedOnHand": 9}, KEY),
    Case(f"DELETE {ITEM}: units are reserved", "DELETE", ITEM, 409, "conflict"),
]
for method, path, good in (("PATCH", "", {"name": "New"}), ("DELETE", "", None), ("POST", "/adjustments", RETURN)):
    CHANGING += with_key([
        Case(f"{method} {ITEM}{path}: an older version", method, ITEM + path, 412, "precondition-failed", good, {"If-Match": '"1"'}),
        Case(f"{method} {ITEM}{path}: a version to come", method, ITEM + path, 412, "precondition-failed", good, {"If-Match": '"9999"'}),
        Case(f"{method} {ITEM}{path}: a version of something else", method, ITEM + path, 412, "precondition-failed", good, {"If-Match": '"abc"'}),
        Case(f"{method} {ITEMS}/SKU{path}: no such item", method, GONE + path, 404, "not-found", good),
        unknown_query(method, ITEM + path)._replace(body=good),
    ])

NDJSON = {"Content-Type": "application/x-ndjson"}
READING = [
    Case(f"POST {ITEMS}/bulk: JSON instead of lines of it", "POST", f"{ITEMS}/bulk", 415, "unsupported-media-type", [GOOD]),
    unknown_query("POST", f"{ITEMS}/bulk")._replace(body=b"", headers=NDJSON),
    Case(f"GET {ITEMS}/SKU: no such item", "GET", GONE, 404, "not-found"),
    Case(f"GET {ITEMS}/SKU/movements: no such item", "GET", f"{GONE}/movements", 404, "not-found"),
    Case(f"GET {RESERVATIONS}/ID: no such reservation", "GET", f"{RESERVATIONS}/{NO_ID}", 404, "not-found"),
    Case(f"GET {RESERVATIONS}/ID: an id that is none", "GET", f"{RESERVATIONS}/7", 404, "not-found"),
    *(unknown_query("GET", path) for path in (ITEMS, ITEM, f"{ITEM}/movements", RESERVATIONS, f"{RESERVATIONS}/{NO_ID}")),
    Case(f"GET {AVAILABILITY}: a name that is not known", "GET", f"{AVAILABILITY}?sku=C-1&colour=red", 422, "invalid-request", has_free_wording=True),
    *limits(ITEMS), *limits(f"{ITEM}/movements"), *limits(RESERVATIONS),
    Case(f"GET {ITEMS}: lowStock that is neither", "GET", f"{ITEMS}?lowStock=yes", 422, "invalid-request"),
    Case(f"GET {ITEMS}: an overlong category", "GET", f"{ITEMS}?category={'x' * 201}", 422, "invalid-request"),
    Case(f"GET {ITEMS}: an overlong q", "GET", f"{ITEMS}?q={'x' * 201}", 422, "invalid-request"),
    Case(f"GET {ITEMS}: a cursor that is none", "GET", f"{ITEMS}?cursor=%3F", 422, "invalid-request"),
    Case(f"GET {ITEM}/movements: a cursor that is none", "GET", f"{ITEM}/movements?cursor=next", 422, "invalid-request"),
    Case(f"GET {RESERVATIONS}: an order that is none", "GET", f"{RESERVATIONS}?orderId=7", 422, "invalid-request"),
    Case(f"GET {RESERVATIONS}: a SKU that is none", "GET", f"{RESERVATIONS}?sku=%3F", 422, "invalid-request"),
    Case(f"GET {RESERVATIONS}: a status that there is not", "GET", f"{RESERVATIONS}?status=LOST", 422, "invalid-request"),
    Case(f"GET {RESERVATIONS}: a status within", "GET", f"{RESERVATIONS}?status=REFUSED", 422, "invalid-request"),
    Case(f"GET {RESERVATIONS}: a cursor that is none", "GET", f"{RESERVATIONS}?cursor=next", 422, "invalid-request"),
    Case(f"GET {AVAILABILITY}: no SKU", "GET", AVAILABILITY, 422, "invalid-request"),
    Case(f"GET {AVAILABILITY}: a SKU that is none", "GET", f"{AVAILABILITY}?sku=C-1&sku=%3F", 422, "invalid-request"),
    Case(f"GET {AVAILABILITY}: too many", "GET", f"{AVAILABILITY}?{'&'.join(f'sku=A{number}' for number in range(501))}", 422, "invalid-request"),
    Case("a path of another service", "GET", "/api/orders", 404, "not-found"),
]

METHODS = [
    no_such_method(ITEMS, "DELETE", "GET", "HEAD", "POST"), no_such_method(ITEMS, "TRACE", "GET", "HEAD", "POST"),
    no_such_method(ITEM, "POST", "GET", "HEAD", "PATCH", "DELETE"), no_such_method(ITEM, "PUT", "GET", "HEAD", "PATCH", "DELETE"),
    no_such_method(ADJUST, "GET", "POST"), no_such_method(f"{ITEM}/movements", "POST", "GET", "HEAD"),
    no_such_method(AVAILABILITY, "DELETE", "GET", "HEAD"), no_such_method(RESERVATIONS, "DELETE", "GET", "HEAD"),
    no_such_method(f"{RESERVATIONS}/{NO_ID}", "DELETE", "GET", "HEAD"),
]

INVENTORY = CREATING + CHANGING + READING + METHODS

EVENTS, RETRY = "/api/relay/events", f"/api/relay/events/{NO_ID}/retry"
RELAY = [
    unknown_query("GET", "/api/relay/status"), unknown_query("GET", EVENTS),
    *limits(EVENTS),
    Case(f"GET {EVENTS}: a state that there is not", "GET", f"{EVENTS}?state=lost", 422, "invalid-request"),
    Case(f"GET {EVENTS}: a cursor that is none", "GET", f"{EVENTS}?cursor=next", 422, "invalid-request"),
    Case(f"GET {EVENTS}: many faults, all named", "GET", f"{EVENTS}?state=lost&limit=0&cursor=next", 422, "invalid-request"),
    Case("POST /api/relay/events/ID/retry: no such event", "POST", RETRY, 404, "not-found"),
    Case("POST /api/relay/events/ID/retry: an id that is none", "POST", "/api/relay/events/7/retry", 422, "invalid-request"),
    Case("POST /api/relay/pause: plain text", "POST", "/api/relay/pause", 415, "unsupported-media-type", "now", {"Content-Type": "text/plain"}),
    no_such_method("/api/relay/status", "POST", "GET", "HEAD"), no_such_method(EVENTS, "DELETE", "GET", "HEAD"),
    no_such_method(RETRY, "GET", "POST"), no_such_method("/api/relay/pause", "GET", "POST"), no_such_method("/api/relay/resume", "GET", "POST"),
    Case("a path that there is not", "GET", "/api/relay", 404, "not-found"),
]

ACTUATOR = [
    Case("GET /actuator/health/NAME: no such component", "GET", "/actuator/health/nothing", 404, "not-found"),
    *(no_such_method(path, "DELETE", "GET", "HEAD") for path in (
        "/actuator", "/actuator/health", "/actuator/health/liveness", "/actuator/health/readiness", "/actuator/info", "/actuator/prometheus")),
]
