"""Every error of every route: status, headers and problem body (RFC 9457) as the tables and golden files say."""
import re
import uuid

import pytest

import cases_of_orders
import cases_of_stock
from cases import CUSTOMER
from golden import Golden, normalised
from harness import send_raw
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

TABLES = {"order": cases_of_orders.CASES + cases_of_stock.ACTUATOR, "inventory": cases_of_stock.INVENTORY + cases_of_stock.ACTUATOR,
          "relay": cases_of_stock.RELAY + cases_of_stock.ACTUATOR}
ROWS = [pytest.param(service, case, id=f"{service}: {case.name}"[:120]) for service, table in TABLES.items() for case in table]
PROBLEMS = {service: Golden(f"refusals-{service}") for service in TABLES}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
STEPS = ("process", "ship", "deliver")

# Each call with a body of bounded size.
BODIES = [("order", "POST", "/api/orders"), ("order", "PUT", "/api/orders/{confirmed}/status"),
          *(("order", "POST", f"/api/orders/{{confirmed}}/{action}") for action in cases_of_orders.ACTIONS),
          ("inventory", "POST", "/api/inventory/items"), ("inventory", "PATCH", "/api/inventory/items/C-1"),
          ("inventory", "POST", "/api/inventory/items/C-1/adjustments"), ("relay", "POST", "/api/relay/pause")]
FAR_TOO_LARGE = 1024**3  # bytes; how large a body may be is not promised


@pytest.fixture(scope="module")
def world(system):
    """{status: id of an order with it}; ten of C-1 are on hand and two of them reserved."""
    shop = system.shop
    shop.inventory.post("/api/inventory/items", {"sku": "C-1", "name": "A thing", "onHand": 10}).expect(201)
    shop.inventory.post("/api/inventory/items", {"sku": "C-2", "name": "A thing", "onHand": 10}).expect(201)
    ids = {"confirmed": shop.place_confirmed(("C-1", 2))["id"]}
    for steps, name in enumerate(("processing", "shipped", "delivered"), 1):
        ids[name] = shop.place_confirmed(("C-2", 1))["id"]
        for action in STEPS[:steps]:
            shop.change(ids[name], action).expect(200)
    ids["cancelled"] = shop.place_confirmed(("C-2", 1))["id"]
    shop.change(ids["cancelled"], "cancel").expect(200)
    shop.comes_to_rest()
    return ids


def seen_of(problem, case, names):
    """The members of a problem that are compared. Of the type only the path counts: it leads to the page of the code."""
    seen = normalised(problem, names)
    assert seen.pop("type").endswith(f"/problems/{case.code}"), problem
    is_unread = case.method == "GET" and case.status == 400  # no path was read, so there is none to name
    assert seen.pop("instance", None) == (None if is_unread else normalised(names_in(case.path))), problem
    if case.has_free_wording:
        assert seen.pop("detail")
        for fault in seen.get("errors", []):
            assert fault.pop("detail")
    for fault in seen.get("errors", []):
        if "detail" in fault:
            fault["detail"] = re.sub("bytes|characters", "<units>", fault["detail"])  # docs promise characters
    return seen


def names_in(path):
    """The path of a row with <name> for {name}, without its query."""
    return path.split("?")[0].replace("{", "<").replace("}", ">")


@pytest.mark.parametrize("service,case", ROWS)
def test_a_refused_request_gets_its_golden_problem(system, world, service, case):
    correlation, parent = uuid.uuid4().hex, f"00-{TRACE}-00f067aa0ba902b7-01"
    body = case.body.encode() if isinstance(case.body, str) else case.body
    answer = system.client(service).call(case.method, case.path.format(**world), body,
                                         case.headers | {"X-Correlation-ID": correlation, "traceparent": parent})
    problem = answer.problem(case.status, case.code)
    assert problem["traceId"] == TRACE
    assert answer.headers["x-correlation-id"] == correlation
    assert answer.headers["cache-control"] == "no-store"
    assert not {"etag", "location", "idempotency-replayed"} & answer.headers.keys(), answer.headers
    if case.status == 405:
        allowed = answer.headers["allow"].split(", ")
        assert set(case.allow) <= set(allowed) and case.method not in allowed, allowed
    else:
        assert "allow" not in answer.headers
    names = {order: f"<{status}>" for status, order in world.items()} | {CUSTOMER: "<customer>"}
    PROBLEMS[service].check(case.name, seen_of(problem, case, names))


def test_refused_requests_change_nothing(system, world):
    """After all requests above, each order has its status and each item its stock."""
    for status, order in world.items():
        assert system.shop.order(order)["status"] == status.upper()
    assert system.shop.order(world["confirmed"])["version"] == 2
    item = system.shop.inventory.get("/api/inventory/items/C-1").expect(200)
    assert (item["onHand"], item["reserved"], item["name"]) == (10, 2, "A thing")
    assert system.shop.inventory.get("/api/inventory/items/C-NEW").status == 404
    assert len(system.shop.everything("/api/orders?customerId=" + CUSTOMER)) == 0


@pytest.mark.parametrize("service", TABLES)
def test_every_golden_problem_has_its_row(system, service):
    assert sorted(PROBLEMS[service].cases) == sorted(case.name for case in TABLES[service])


@pytest.mark.parametrize("service,method,path", BODIES, ids=[f"{row[1]} {row[2]}" for row in BODIES])
def test_a_body_that_is_too_large_is_refused_before_it_arrives(system, world, service, method, path):
    head = f"{method} {path.format(**world)} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {FAR_TOO_LARGE}\r\n\r\n"
    send_raw(system.ports[service], head.encode()).problem(413, "too-large")


@pytest.mark.parametrize("service", TABLES)
def test_headers_without_end_are_refused(system, service):
    request = b"GET /actuator/info HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n"
    send_raw(system.ports[service], request).problem(431, "header-too-large")


@pytest.mark.parametrize("service", TABLES)
@pytest.mark.parametrize("request_text", ["HELO shop\r\n\r\n", "GET /actuator/info HTTP/1.1\r\n\r\n", "GET actuator HTTP/1.1\r\nHost: localhost\r\n\r\n"],
                         ids=["no HTTP", "no host", "no path"])
def test_malformed_http_is_refused(system, service, request_text):
    send_raw(system.ports[service], request_text.encode()).problem(400, "malformed-request")


# The hosts by which a page of an attacker may reach the service, and the hosts that only its machine has.
@pytest.mark.parametrize("service", TABLES)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "order-service", "localhost.evil.example"])
def test_a_host_that_is_not_ours_is_misdirected(system, service, host):
    for target in ("/actuator/info", "http://localhost/actuator/info"):
        is_absolute = target.startswith("http")
        answer = send_raw(system.ports[service], f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        if is_absolute:  # its authority is the host
            answer.expect(200)
        else:
            answer.problem(421, "misdirected-request")


@pytest.mark.parametrize("service", TABLES)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "10.1.2.3", "a.localhost"])
def test_an_address_and_localhost_are_ours(system, service, host):
    send_raw(system.ports[service], f"GET /actuator/info HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()).expect(200)


FOREIGN = [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Sec-Fetch-Site": "cross-site"},
           {"Sec-Fetch-Site": "same-site"}]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_of_another_origin_changes_nothing(system, world, headers):
    for service, method, path in BODIES:
        system.client(service).call(method, path.format(**world), {}, headers).problem(403, "forbidden")
    assert system.shop.order(world["confirmed"])["version"] == 2
    system.client("order").get("/actuator/info", headers).expect(200)


def test_a_page_of_ours_may_change_things(system):
    client = system.client("relay")
    ours = {"Origin": f"http://127.0.0.1:{client.port}", "Sec-Fetch-Site": "same-origin"}
    client.call("POST", "/api/relay/resume", None, ours).expect(200)


@pytest.mark.parametrize("service,path,allow", [("order", "/api/orders", "GET, HEAD, POST, OPTIONS"),
                                                ("inventory", "/api/inventory/items/C-1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
                                                ("relay", "/api/relay/pause", "POST, OPTIONS")])
def test_options_names_the_methods_of_a_path(system, service, path, allow):
    answer = system.client(service).call("OPTIONS", path)
    assert answer.status == 204 and sorted(answer.headers["allow"].split(", ")) == sorted(allow.split(", "))
    assert system.client(service).call("OPTIONS", "*").status == 204
    system.client(service).call("OPTIONS", "/api/nothing").problem(404, "not-found")


def test_a_slash_at_the_end_of_a_path_makes_no_difference(system):
    assert system.client("order").get("/api/orders/?limit=1").expect(200) == system.client("order").get("/api/orders?limit=1").expect(200)
    system.client("order").get("/api/orders//").problem(404, "not-found")


def test_a_query_has_a_limit_of_parameters(system):
    problem = system.client("order").get("/api/orders?" + "a&" * 513).problem(422, "invalid-request")
    assert "512" in problem["detail"]
