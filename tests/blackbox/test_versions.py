"""ETags, If-Match, Location, HEAD: a version is what a client saw, and guards what the client changes."""
import uuid

import pytest

from harness import order_body
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

STEPS = (("process", "PROCESSING"), ("ship", "SHIPPED"), ("deliver", "DELIVERED"))
# How a CONFIRMED order is changed: method, the rest of its path, body, status after it.
CHANGES = [("POST", "/process", None, "PROCESSING"), ("POST", "/cancel", {}, "CANCELLED"), ("PUT", "/status", {"status": "PROCESSING"}, "PROCESSING"),
           ("PUT", "/status", {"status": "CANCELLED", "reason": "LATE"}, "CANCELLED"), ("DELETE", "", None, "CANCELLED")]


def tag(version):
    return f'"{version}"'


def checked(answer, status=200):
    """The body of an answer whose ETag is the version it tells."""
    body = answer.expect(status)
    assert answer.headers["etag"] == tag(body["version"]), (answer.headers, body)
    return body


def test_each_answer_about_an_order_carries_the_version_it_tells(system):
    shop = system.shop
    placed = shop.orders.post("/api/orders", order_body((shop.new_sku(10), 1)))
    order = checked(placed, 201)
    path = f"/api/orders/{order['id']}"
    assert (order["version"], placed.headers["location"]) == (1, path)
    shop.becomes(order["id"], "CONFIRMED")
    assert checked(shop.orders.get(path)) == shop.orders.get(placed.headers["location"]).json()
    for version, (action, status) in enumerate(STEPS, 3):
        changed = checked(shop.change(order["id"], action))
        assert (changed["version"], changed["status"]) == (version, status)
        for client in (shop.orders, system.client()):  # what was answered is what everybody reads from now on
            assert checked(client.get(path)) == changed
            told = checked(client.get(f"{path}/status"))
            assert (told["version"], told["status"], told["updatedAt"]) == (version, status, changed["updatedAt"])
        listed = shop.everything(f"/api/orders?customerId={order['customerId']}")
        assert listed == [changed]


def test_an_order_that_was_waited_for_carries_its_own_version(system):
    shop = system.shop
    sku = shop.new_sku(1)
    confirmed = checked(shop.orders.post("/api/orders?wait=confirmed", order_body((sku, 1))), 201)
    assert (confirmed["version"], confirmed["status"]) == (2, "CONFIRMED")
    refused = checked(shop.orders.post("/api/orders", order_body((sku, 1)), {"Prefer": "wait=5"}), 201)
    assert (refused["version"], refused["status"], refused["cancelReason"]) == (2, "CANCELLED", "OUT_OF_STOCK")
    for order in (confirmed, refused):
        assert checked(shop.orders.get(f"/api/orders/{order['id']}")) == order


@pytest.mark.parametrize("method,tail,body,status", CHANGES, ids=[f"{row[0]} {row[1]} {row[3]}" for row in CHANGES])
def test_only_the_version_that_is_there_changes_an_order(system, method, tail, body, status):
    shop = system.shop
    order = shop.place_confirmed((shop.new_sku(10), 1))
    path = f"/api/orders/{order['id']}"
    for version in (1, 3, 0):
        shop.orders.call(method, path + tail, body, {"If-Match": tag(version)}).problem(412, "precondition-failed")
    assert shop.order(order["id"]) == order
    changed = checked(shop.orders.call(method, path + tail, body, {"If-Match": tag(2)}))
    assert (changed["version"], changed["status"]) == (3, status)


@pytest.mark.parametrize("action,steps", [("ship", 1), ("deliver", 2)])
def test_the_later_steps_are_guarded_as_well(system, action, steps):
    shop = system.shop
    order = shop.place_confirmed((shop.new_sku(10), 1))["id"]
    for earlier, _ in STEPS[:steps]:
        shop.change(order, earlier).expect(200)
    shop.change(order, action, None, {"If-Match": tag(steps + 1)}).problem(412, "precondition-failed")
    assert checked(shop.change(order, action, None, {"If-Match": tag(steps + 2)}))["version"] == steps + 3


def test_put_status_takes_the_same_steps_with_the_same_details(system):
    shop = system.shop
    order = shop.place_confirmed((shop.new_sku(10), 1))["id"]
    path = f"/api/orders/{order}/status"
    steps = ({"status": "PROCESSING"}, {"status": "SHIPPED", "carrier": "DHL", "trackingNumber": "D1"}, {"status": "DELIVERED"})
    for version, body in enumerate(steps, 3):
        changed = checked(shop.orders.call("PUT", path, body, {"If-Match": tag(version - 1)}))
        assert (changed["version"], changed["status"]) == (version, body["status"])
    assert changed["shipment"] == {"carrier": "DHL", "trackingNumber": "D1"}
    cancelled = shop.place_confirmed((shop.new_sku(10), 1))["id"]
    answer = shop.orders.call("PUT", f"/api/orders/{cancelled}/status", {"status": "CANCELLED", "reason": "LATE"})
    assert checked(answer)["cancelReason"] == "LATE"


def test_any_version_will_do_for_a_star(system):
    shop = system.shop
    order = shop.place_confirmed((shop.new_sku(10), 1))["id"]
    assert checked(shop.change(order, "process", None, {"If-Match": "*"}))["version"] == 3


def test_a_replay_is_given_whatever_the_version_is_by_now(system):
    shop = system.shop
    order = shop.place_confirmed((shop.new_sku(10), 1))["id"]
    headers = {"If-Match": tag(2), "Idempotency-Key": uuid.uuid4().hex}
    first = shop.change(order, "process", None, headers)
    shop.change(order, "ship").expect(200)
    again = shop.change(order, "process", None, headers)
    assert (again.status, again.body, again.headers["etag"]) == (200, first.body, tag(3))


def test_each_answer_about_an_item_carries_the_version_it_tells(system):
    client, sku = system.client("inventory"), f"V-{uuid.uuid4().hex[:8]} /1"
    created = client.post("/api/inventory/items", {"sku": sku, "name": "A thing", "onHand": 5})
    assert checked(created, 201)["version"] == 1
    path = created.headers["location"]
    assert path == "/api/inventory/items/" + sku.replace(" ", "%20").replace("/", "%2F")
    assert checked(client.get(path)) == created.json()
    renamed = checked(client.call("PATCH", path, {"name": "Another", "category": "things"}))
    assert (renamed["version"], renamed["name"], renamed["category"]) == (2, "Another", "things")
    assert checked(client.call("PATCH", path, {"name": "Another"})) == renamed  # nothing is different, so it is no new version
    adjusted = checked(client.post(f"{path}/adjustments", {"delta": -2, "reason": "LOST"}, {"Idempotency-Key": uuid.uuid4().hex}))
    assert (adjusted["version"], adjusted["onHand"]) == (3, 3)
    cleared = checked(client.call("PATCH", path, {"category": None}))
    assert cleared["version"] == 4 and "category" not in cleared
    assert checked(client.get(path)) == cleared
    assert client.call("DELETE", path).status == 204 and client.get(path).status == 404


@pytest.mark.parametrize("method,tail,body,status", [("PATCH", "", {"name": "Another"}, 200), ("DELETE", "", None, 204),
                                                     ("POST", "/adjustments", {"delta": 1, "reason": "FOUND"}, 200)], ids=["patch", "delete", "adjust"])
def test_only_the_version_that_is_there_changes_an_item(system, method, tail, body, status):
    client, sku = system.client("inventory"), system.shop.new_sku(5)
    path = f"/api/inventory/items/{sku}"
    item = checked(client.call("PATCH", path, {"name": "Second"}))
    for version in (1, 3, 0):
        client.call(method, path + tail, body, {"If-Match": tag(version), "Idempotency-Key": uuid.uuid4().hex}).problem(412, "precondition-failed")
    assert checked(client.get(path)) == item
    headers = {"If-Match": tag(2), "Idempotency-Key": uuid.uuid4().hex}
    assert client.call(method, path + tail, body, headers).status == status


def test_a_reservation_is_a_new_version_of_the_item(system):
    shop = system.shop
    sku = shop.new_sku(5)
    shop.place_confirmed((sku, 2))
    assert checked(shop.inventory.get(f"/api/inventory/items/{sku}"))["version"] > 1
    shop.inventory.call("PATCH", f"/api/inventory/items/{sku}", {"name": "Late"}, {"If-Match": tag(1)}).problem(412, "precondition-failed")


@pytest.mark.parametrize("service,path", [("order", "/api/orders/{order}"), ("order", "/api/orders/{order}/status"), ("order", "/api/orders?limit=1"),
                                          ("order", "/api/orders/{order}/timeline"), ("inventory", "/api/inventory/items/{sku}"),
                                          ("inventory", "/api/inventory/items?limit=1"), ("relay", "/actuator/info")])
def test_head_has_the_headers_of_get_and_no_body(system, service, path):
    sku = system.shop.new_sku(5)
    order = system.shop.place_confirmed((sku, 2))["id"]
    client, path = system.client(service), path.format(order=order, sku=sku)
    got, head = client.get(path), client.call("HEAD", path)
    assert (head.status, head.body) == (got.status, b"")
    for header in ("etag", "content-type", "content-length", "link", "cache-control"):
        assert head.headers.get(header) == got.headers.get(header), header
    assert client.get(path).body == got.body  # the connection goes on


@pytest.mark.parametrize("service", ["order", "inventory", "relay"])
@pytest.mark.parametrize("given", ["a-correlation-id", "x" * 128])
def test_a_correlation_id_comes_back(system, service, given):
    answer = system.client(service).get("/actuator/info", {"X-Correlation-ID": given})
    assert answer.headers["x-correlation-id"] == given
    own = [system.client(service).get("/actuator/info").headers["x-correlation-id"] for _ in range(2)]
    assert all(own) and own[0] != own[1]


@pytest.mark.parametrize("tail", ["", "/status"])
def test_a_reader_gets_only_a_version_that_it_does_not_have(system, tail):
    shop = system.shop
    path = f"/api/orders/{shop.place_confirmed((shop.new_sku(1), 1))['id']}{tail}"
    for method in ("GET", "HEAD"):
        for known in (tag(2), f"W/{tag(2)}", f"{tag(1)}, {tag(2)}", "*"):
            answer = shop.orders.call(method, path, None, {"If-None-Match": known})
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag(2)), known
            assert not {"content-type", "content-length"} & answer.headers.keys(), answer.headers
        for known in (tag(1), tag(3), "2", f"{tag(1)}, {tag(22)}"):
            assert shop.orders.call(method, path, None, {"If-None-Match": known}).status == 200, known
    shop.orders.call("GET", path, None, {"If-Match": tag(1)}).problem(412, "precondition-failed")
    assert shop.orders.call("GET", path, None, {"If-Match": f"{tag(1)}, {tag(2)}"}).status == 200


def test_a_reader_of_an_item_gets_only_a_version_that_it_does_not_have(system):
    shop = system.shop
    path = f"/api/inventory/items/{shop.new_sku(1)}"
    etag = shop.inventory.get(path).headers["etag"]
    assert shop.inventory.get(path, {"If-None-Match": etag}).status == 304
    shop.inventory.call("PATCH", path, {"name": "Another"}).expect(200)
    assert shop.inventory.get(path, {"If-None-Match": etag}).json()["name"] == "Another"


def test_a_change_may_name_several_versions_or_exclude_some(system):
    shop = system.shop
    order = shop.place_confirmed((shop.new_sku(1), 1))["id"]
    for headers in ({"If-Match": f"W/{tag(2)}"}, {"If-Match": f"{tag(1)}, {tag(3)}"}, {"If-None-Match": "*"},
                    {"If-None-Match": f"{tag(1)}, W/{tag(2)}"}, {"If-Match": tag(2), "If-None-Match": tag(2)}):
        shop.change(order, "process", None, headers).problem(412, "precondition-failed")
    shop.change(order, "process", None, {"If-None-Match": "2"}).problem(400, "malformed-request")
    assert checked(shop.change(order, "process", None, {"If-Match": f"{tag(1)}, {tag(2)}"}))["version"] == 3
    assert checked(shop.change(order, "ship", None, {"If-None-Match": tag(2)}))["version"] == 4
