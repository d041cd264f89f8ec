"""Every refused request of the order service (8080), a row each."""
from cases import ADDRESS, NO_ID, Case, bad_keys, line, limits, no_such_method, order_body, refused_everywhere, unknown_query

ORDERS, ORDER = "/api/orders", "/api/orders/{confirmed}"
ACTIONS = ("process", "ship", "deliver", "cancel")
NUL, LONG = "a\0b", "x" * 2000


def invalid_order(name, body):
    return Case(f"POST {ORDERS}: {name}", "POST", ORDERS, 422, "invalid-request", body)


def malformed_order(name, body):
    return Case(f"POST {ORDERS}: {name}", "POST", ORDERS, 400, "malformed-request", body, has_free_wording=True)


def address(**changes):
    return order_body(shippingAddress={name: value for name, value in (ADDRESS | changes).items() if value is not None})


def external_ref(inner):
    """An order with these bytes within the quotes of externalRef."""
    body = b'{"customerId":"5b1d7f36-93a8-4c9e-8a31-0c2f7f0b9a11","currency":"GBP","items":[{"sku":"C-1","quantity":1,"unitAmount":1}],'
    return body + b'"shippingAddress":{"line1":"1","city":"L","postalCode":"N1","country":"GB"},"externalRef":"' + inner + b'"}'


PLACING = refused_everywhere("POST", ORDERS, order_body()) + [
    Case(f"POST {ORDERS}: no key", "POST", ORDERS, 428, "precondition-required", order_body(), {"Idempotency-Key": None}),
    malformed_order("nothing but blanks", b"   "),
    malformed_order("a surrogate alone", external_ref(rb"\ud800")),
    malformed_order("an overlong form of UTF-8", external_ref(b"\xc0\xaf")),
    invalid_order("an empty object", {}),
    invalid_order("no customer", order_body(customerId=None)),
    invalid_order("a customer that is a number", order_body(customerId=7)),
    invalid_order("no currency", order_body(currency=None)),
    invalid_order("a currency in small letters", order_body(currency="gbp")),
    invalid_order("a currency that there is not", order_body(currency="ZZZ")),
    invalid_order("no lines", order_body(items=None)),
    invalid_order("an empty list of lines", order_body(items=[])),
    invalid_order("an object for the lines", order_body(items={})),
    invalid_order("a line that is text", order_body(items=["C-1"])),
    invalid_order("too many lines", order_body(items=order_body()["items"] * 2001)),
    invalid_order("a line without anything", order_body(items=[{}])),
    invalid_order("nothing of it", line(quantity=0)),
    invalid_order("less than nothing", line(quantity=-1, unitAmount=-1)),
    invalid_order("too much of it", line(quantity=1_000_001)),
    invalid_order("a quantity that is text", line(quantity="2")),
    invalid_order("a quantity that is a fraction", line(quantity=1.5)),
    invalid_order("a quantity that is true", line(quantity=True)),
    invalid_order("an amount beyond 64 bits", line(unitAmount=2**70)),
    invalid_order("amounts whose product is too large", line(quantity=1_000_000, unitAmount=10**13)),
    invalid_order("no SKU", line(sku=None)),
    invalid_order("an empty SKU", line(sku="")),
    invalid_order("an overlong SKU", line(sku="A" * 65)),
    invalid_order("a SKU with a question mark", line(sku="A?1")),
    invalid_order("a SKU with NUL", line(sku=NUL)),
    invalid_order("an overlong name of a line", line(name="x" * 201)),
    Case(f"POST {ORDERS}: a field of a line that is not known", "POST", ORDERS, 422, "invalid-request", line(colour="red"), has_free_wording=True),
    invalid_order("a total that is not the sum", order_body(totalAmount=1)),
    invalid_order("a total that is text", order_body(totalAmount="500")),
    invalid_order("shipping below nothing", order_body(shippingAmount=-1)),
    invalid_order("no address", order_body(shippingAddress=None)),
    invalid_order("an address that is text", order_body(shippingAddress="1 High Street")),
    invalid_order("no street", address(line1=None)),
    invalid_order("no city", address(city=None)),
    invalid_order("no country", address(country=None)),
    invalid_order("a country that there is not", address(country="UK")),
    invalid_order("an overlong street", address(line1="x" * 201)),
    Case(f"POST {ORDERS}: a field of the address that is not known", "POST", ORDERS, 422, "invalid-request", address(planet="Earth"),
         has_free_wording=True),
    invalid_order("an overlong reference", order_body(externalRef="x" * 101)),
    invalid_order("a reference that is a number", order_body(externalRef=7)),
    invalid_order("a reference with NUL", order_body(externalRef=NUL))._replace(has_free_wording=True),
    invalid_order("overlong instructions", order_body(deliveryInstructions="x" * 1001)),
    invalid_order("metadata that is a list", order_body(metadata=[1])),
    invalid_order("too much metadata", order_body(metadata={"a": LONG * 10})),
    invalid_order("NUL in metadata", order_body(metadata={"a": [{"b": NUL}]})),
    invalid_order("many faults, all named", line(quantity=0, sku="?") | {"currency": "ZZZ", "externalRef": 7}),
    unknown_query("POST", ORDERS)._replace(body=order_body()),
    Case(f"POST {ORDERS}: something else to wait for", "POST", ORDERS + "?wait=shipped", 422, "invalid-request", order_body()),
]

CHANGING = [case for action in ACTIONS for case in refused_everywhere("POST", f"{ORDER}/{action}", {})]
CHANGING += refused_everywhere("PUT", f"{ORDER}/status", {"status": "PROCESSING"}) + bad_keys("DELETE", ORDER, None)
CHANGING += refused_everywhere("PATCH", ORDER, {"externalRef": "R"})
CHANGING += [
    Case(f"PATCH {ORDER}: members that no client changes", "PATCH", ORDER, 422, "invalid-request", {"status": "SHIPPED", "items": []}, has_free_wording=True),
    Case(f"PATCH {ORDER}: no address", "PATCH", ORDER, 422, "invalid-request", {"shippingAddress": None}),
    Case(f"PATCH {ORDER}: many faults, all named", "PATCH", ORDER, 422, "invalid-request",
         {"shippingAddress": {"line1": " ", "country": "UK"}, "metadata": [], "shipment": {"carrier": "x" * 101}}),
    Case("PATCH: the terms of an order that has left", "PATCH", "/api/orders/{shipped}", 409, "illegal-transition", {"externalRef": "R"}, has_free_wording=True),
    Case("PATCH: the shipment of an order that has arrived", "PATCH", "/api/orders/{delivered}", 409, "illegal-transition", {"shipment": {"carrier": "R"}},
         has_free_wording=True),
    Case("PATCH: the shipment of a cancelled order", "PATCH", "/api/orders/{cancelled}", 409, "illegal-transition", {"shipment": {"carrier": "R"}},
         has_free_wording=True),
    Case(f"PUT {ORDER}/status: no status", "PUT", f"{ORDER}/status", 422, "invalid-request", {}),
    Case(f"PUT {ORDER}/status: a status that there is not", "PUT", f"{ORDER}/status", 422, "invalid-request", {"status": "LOST"}),
    Case(f"PUT {ORDER}/status: a status that is a number", "PUT", f"{ORDER}/status", 422, "invalid-request", {"status": 1}),
    Case(f"POST {ORDER}/ship: an overlong carrier", "POST", f"{ORDER}/ship", 422, "invalid-request", {"carrier": "x" * 101}),
    Case(f"POST {ORDER}/ship: a tracking number that is a number", "POST", f"{ORDER}/ship", 422, "invalid-request", {"trackingNumber": 7}),
    Case(f"POST {ORDER}/cancel: a reason in small letters", "POST", f"{ORDER}/cancel", 422, "invalid-request", {"reason": "changed my mind"}),
    Case(f"POST {ORDER}/cancel: a reason of ours", "POST", f"{ORDER}/cancel", 422, "invalid-request", {"reason": "OUT_OF_STOCK"}),
    Case(f"POST {ORDER}/cancel: another reason of ours", "POST", f"{ORDER}/cancel", 422, "invalid-request", {"reason": "TIMED_OUT"}),
    Case(f"POST {ORDER}/cancel: an overlong reason", "POST", f"{ORDER}/cancel", 422, "invalid-request", {"reason": "A" * 65}),
]
for method, path, body in [("POST", f"{ORDER}/{action}", None) for action in ACTIONS] + [("PUT", f"{ORDER}/status", {"status": "PROCESSING"}),
                                                                                        ("DELETE", ORDER, None), ("PATCH", ORDER, {"externalRef": "R"})]:
    CHANGING += [
        unknown_query(method, path)._replace(body=body),
        Case(f"{method} {path}: an older version", method, path, 412, "precondition-failed", body, {"If-Match": '"1"'}, has_free_wording=True),
        Case(f"{method} {path}: a version to come", method, path, 412, "precondition-failed", body, {"If-Match": '"3"'}, has_free_wording=True),
        Case(f"{method} {path}: a version of something else", method, path, 412, "precondition-failed", body, {"If-Match": '"abc"'},
             has_free_wording=True),
    ]

# Transitions that the life of an order does not have, and statuses that no client may set.
POSSIBLE = {"confirmed": {"process", "cancel"}, "processing": {"ship", "cancel"}, "shipped": {"deliver"}, "delivered": set(), "cancelled": set()}
STATUS_OF = {"process": "PROCESSING", "ship": "SHIPPED", "deliver": "DELIVERED", "cancel": "CANCELLED"}
LIFE = []
for status, possible in POSSIBLE.items():
    for action in ACTIONS:
        if action in possible:
            continue
        path = f"/api/orders/{{{status}}}"
        LIFE.append(Case(f"{status} cannot {action}", "POST", f"{path}/{action}", 409, "illegal-transition", has_free_wording=True))
        LIFE.append(Case(f"{status} cannot become {STATUS_OF[action]}", "PUT", f"{path}/status", 409, "illegal-transition",
                         {"status": STATUS_OF[action]}, has_free_wording=True))
    for target in ("PENDING", "CONFIRMED"):
        LIFE.append(Case(f"{status} cannot be made {target} by a client", "PUT", f"/api/orders/{{{status}}}/status", 409, "illegal-transition",
                         {"status": target}, has_free_wording=True))
LIFE += [Case(f"{status} cannot be deleted", "DELETE", f"/api/orders/{{{status}}}", 409, "illegal-transition", has_free_wording=True)
         for status in ("shipped", "delivered")]

READING = []
for suffix in ("", "/status", "/timeline"):
    for name, order in (("no such order", NO_ID), ("an id that is none", "7")):
        READING.append(Case(f"GET {ORDERS}/ID{suffix}: {name}", "GET", f"{ORDERS}/{order}{suffix}", 404, "not-found"))
for method, suffix, body in [("POST", f"/{action}", None) for action in ACTIONS] + [("PUT", "/status", {"status": "PROCESSING"}), ("DELETE", "", None),
                                                                          ("PATCH", "", {"externalRef": "R"})]:
    for name, order in (("no such order", NO_ID), ("an id that is none", "7")):
        READING.append(Case(f"{method} {ORDERS}/ID{suffix}: {name}", method, f"{ORDERS}/{order}{suffix}", 404, "not-found", body))
READING += [
    unknown_query("GET", ORDER), unknown_query("GET", f"{ORDER}/status"), unknown_query("GET", ORDERS), unknown_query("GET", "/api/sagas"),
    *limits(ORDERS), *limits("/api/sagas"),
    Case("GET /api/orders: a status that there is not", "GET", "/api/orders?status=LOST", 422, "invalid-request"),
    Case("GET /api/orders: a time that is none", "GET", "/api/orders?createdFrom=yesterday", 422, "invalid-request"),
    Case("GET /api/orders: another time that is none", "GET", "/api/orders?createdTo=2026-13-01T00:00:00Z", 422, "invalid-request"),
    Case("GET /api/orders: a cursor that is none", "GET", "/api/orders?cursor=next", 422, "invalid-request"),
    Case("GET /api/orders: a limit twice", "GET", "/api/orders?limit=1&limit=2", 422, "invalid-request"),
    Case("GET /api/orders: many faults, all named", "GET", "/api/orders?limit=0&status=LOST&cursor=x&createdFrom=x", 422, "invalid-request"),
    Case("GET /api/sagas: a status that there is not", "GET", "/api/sagas?status=LOST", 422, "invalid-request"),
    Case("GET /api/sagas: a type that there is not", "GET", "/api/sagas?type=ORDER", 422, "invalid-request"),
    Case("GET /api/sagas: an order that is none", "GET", "/api/sagas?orderId=7", 422, "invalid-request"),
    Case("GET /api/sagas: a cursor that is none", "GET", "/api/sagas?cursor=next", 422, "invalid-request"),
    Case("GET /api/sagas/ID: no such saga", "GET", f"/api/sagas/{NO_ID}", 404, "not-found"),
    Case("GET /api/sagas/ID: an id that is none", "GET", "/api/sagas/7", 404, "not-found"),
    Case("a broken escape in the path", "GET", "/api/orders/%zz", 400, "malformed-request"),
    Case("a query that is not UTF-8", "GET", "/api/orders?externalRef=%ff", 400, "malformed-request"),
    Case("a path that there is not", "GET", "/api/order", 404, "not-found"),
    Case("a path of another service", "GET", "/api/inventory/items", 404, "not-found"),
]

METHODS = [
    no_such_method(ORDERS, "DELETE", "GET", "HEAD", "POST"), no_such_method(ORDERS, "PUT", "GET", "HEAD", "POST"),
    no_such_method(ORDERS, "BREW", "GET", "HEAD", "POST"), no_such_method(ORDERS, "TRACE", "GET", "HEAD", "POST"),
    no_such_method(ORDER, "POST", "GET", "HEAD", "DELETE", "PATCH"), no_such_method(f"{ORDER}/status", "POST", "GET", "HEAD", "PUT"),
    *(no_such_method(f"{ORDER}/{action}", "GET", "POST") for action in ACTIONS),
    no_such_method(f"{ORDER}/timeline", "POST", "GET", "HEAD"), no_such_method("/api/sagas", "POST", "GET", "HEAD"),
    no_such_method(f"/api/sagas/{NO_ID}", "DELETE", "GET", "HEAD"),
]

CASES = PLACING + CHANGING + LIFE + READING + METHODS
