"""Idempotency-Keys: one effect, and the stored answer byte for byte for every repetition."""
import json
import re
import uuid

import pytest

from harness import all_at_once, new_customer, order_body
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

ANSWER_HEADERS = ("etag", "location", "content-type")  # of an answer, and of its replay
TWINS = 8


def confirmed_order(shop, steps=()):
    order = shop.place_confirmed((shop.new_sku(10), 2))["id"]
    for action in steps:
        shop.change(order, action).expect(200)
    return f"/api/orders/{order}"


def item_path(shop):
    return f"/api/inventory/items/{shop.new_sku(10)}"


def body_of_one_order(shop):
    return order_body((shop.new_sku(10), 2), externalRef=f"K-{uuid.uuid4().hex[:10]}")


def new_item():
    return {"sku": f"K-{uuid.uuid4().hex[:10]}", "name": "New", "onHand": 3}


# Every call that changes something: service, method, path, body, another body, status. A body of None is none.
CALLS = {
    "place": lambda shop: ("order", "POST", "/api/orders", body_of_one_order(shop), body_of_one_order(shop), 201),
    "process": lambda shop: ("order", "POST", confirmed_order(shop) + "/process", None, None, 200),
    "ship": lambda shop: ("order", "POST", confirmed_order(shop, ["process"]) + "/ship", {"carrier": "DHL"}, {"carrier": "UPS"}, 200),
    "deliver": lambda shop: ("order", "POST", confirmed_order(shop, ["process", "ship"]) + "/deliver", {}, {}, 200),
    "cancel": lambda shop: ("order", "POST", confirmed_order(shop) + "/cancel", {"reason": "ONE"}, {"reason": "TWO"}, 200),
    "put status": lambda shop: ("order", "PUT", confirmed_order(shop) + "/status", {"status": "PROCESSING"}, {"status": "CANCELLED"}, 200),
    "delete": lambda shop: ("order", "DELETE", confirmed_order(shop), None, {"reason": "TWO"}, 200),
    "create an item": lambda shop: ("inventory", "POST", "/api/inventory/items", new_item(), new_item(), 201),
    "patch an item": lambda shop: ("inventory", "PATCH", item_path(shop), {"name": "Newer"}, {"name": "Newest"}, 200),
    "delete an item": lambda shop: ("inventory", "DELETE", item_path(shop), None, None, 204),
    "adjust stock": lambda shop: ("inventory", "POST", item_path(shop) + "/adjustments", {"delta": 5, "reason": "RETURN"},
                                  {"delta": 6, "reason": "RETURN"}, 200),
}


def version_there(client, path):
    """Of the order or item that a call is about; None when it is gone, or when the call is about none."""
    thing = re.match(r"/api/(orders|inventory/items)/[^/]+", path)
    found = client.get(thing[0]) if thing else None
    return found.json()["version"] if found and found.status == 200 else None


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_is_replayed_byte_for_byte(system, name):
    service, method, path, body, other, status = CALLS[name](system.shop)
    client, key = system.client(service), uuid.uuid4().hex
    first = client.call(method, path, body, {"Idempotency-Key": key})
    first.expect(status)
    assert "idempotency-replayed" not in first.headers
    version = version_there(client, path)
    for written in (key, f'"{key}"'):  # bare, and as a structured field
        again = system.client(service).call(method, path, body, {"Idempotency-Key": written})
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert [again.headers.get(header) for header in ANSWER_HEADERS] == [first.headers.get(header) for header in ANSWER_HEADERS]
    assert version_there(client, path) == version
    if other != body:
        client.call(method, path, other, {"Idempotency-Key": key}).problem(422, "idempotency-key-reused")
        assert version_there(client, path) == version


def rewritten(body):
    """The same JSON as other clients write it: other blanks, members in another order, other forms of numbers, escapes, a byte order mark."""
    turned = json.dumps(body, sort_keys=True).encode()
    floats = json.dumps(body, default=str).encode()
    return [json.dumps(body, indent=2).encode() + b"\r\n", turned, b"\xef\xbb\xbf" + turned, re.sub(rb": (\d+)([,}])", rb": \1.0\2", floats)]


@pytest.mark.parametrize("name", ["place", "ship", "adjust stock", "create an item"])
def test_a_repeat_that_is_written_anew_is_a_repeat(system, name):
    service, method, path, body, other, status = CALLS[name](system.shop)
    client, key = system.client(service), {"Idempotency-Key": uuid.uuid4().hex}
    first = client.call(method, path, body, key)
    first.expect(status)
    for again in [client.call(method, path, text, key) for text in rewritten(body)]:
        assert (again.status, again.body, again.headers["idempotency-replayed"]) == (first.status, first.body, "true")
    client.call(method, path, other, key).problem(422, "idempotency-key-reused")


@pytest.mark.parametrize("first,second", [(None, {}), ({}, None)], ids=["nothing first", "an object first"])
def test_no_body_is_an_empty_object(system, first, second):
    path, key = confirmed_order(system.shop) + "/process", {"Idempotency-Key": uuid.uuid4().hex}
    system.client().call("POST", path, first, key).expect(200)
    again = system.client().call("POST", path, second, key)
    assert again.expect(200)["status"] == "PROCESSING" and again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("name", ["place", "adjust stock", "patch an item"])
def test_simultaneous_twins_have_one_effect(system, name):
    service, method, path, body, _, status = CALLS[name](system.shop)
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = all_at_once(TWINS, lambda: system.client(service), lambda client: client.call(method, path, body, key))
    assert [answer.status for answer in answers] == [status] * TWINS
    assert len({(answer.body, *(answer.headers.get(header) for header in ANSWER_HEADERS)) for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in answers) == [""] + ["true"] * (TWINS - 1)


def test_a_replay_is_the_first_answer_and_not_the_present_state(system):
    shop, key = system.shop, {"Idempotency-Key": uuid.uuid4().hex}
    body = order_body((shop.new_sku(10), 2))
    placed = shop.orders.post("/api/orders", body, key)
    order = placed.expect(201)
    assert order["status"] == "PENDING"
    shop.becomes(order["id"], "CONFIRMED")
    again = shop.orders.post("/api/orders", body, key)
    assert (again.status, again.body, again.headers["etag"]) == (201, placed.body, '"1"')


def test_a_replay_that_waits_waits_afresh(system):
    shop, key = system.shop, {"Idempotency-Key": uuid.uuid4().hex}
    body = order_body((shop.new_sku(10), 2))
    first = shop.orders.post("/api/orders?wait=confirmed", body, key)
    assert first.expect(201)["status"] == "CONFIRMED" and first.headers["etag"] == '"2"'
    again = shop.orders.post("/api/orders?wait=confirmed", body, key)
    assert (again.body, again.headers["etag"], again.headers["location"]) == (first.body, '"2"', first.headers["location"])
    assert again.headers["idempotency-replayed"] == "true"
    assert shop.orders.post("/api/orders", body, key).expect(201)["status"] == "PENDING"  # what is stored is the first success


def test_a_key_is_of_its_route_and_its_resource(system):
    """One key for two orders, two actions, two items and two services: each call has its own effect."""
    shop, key = system.shop, {"Idempotency-Key": uuid.uuid4().hex}
    one, two = confirmed_order(shop), confirmed_order(shop)
    for path in (one, two):
        for action, reached in (("process", "PROCESSING"), ("ship", "SHIPPED"), ("deliver", "DELIVERED")):
            answer = shop.orders.post(f"{path}/{action}", {}, key)
            assert answer.expect(200)["status"] == reached and path.endswith(answer.json()["id"])
            assert "idempotency-replayed" not in answer.headers
    first, second = item_path(shop), item_path(shop)
    for path in (first, second):
        for method, tail, body in (("POST", "/adjustments", {"delta": 1, "reason": "FOUND"}), ("PATCH", "", {"name": "Newer"}), ("DELETE", "", None)):
            answer = shop.inventory.call(method, path + tail, body, key)
            assert answer.status in (200, 204) and "idempotency-replayed" not in answer.headers
        assert shop.inventory.get(path).status == 404


@pytest.mark.parametrize("service,path,bad,good", [
    ("order", "/api/orders", order_body(("K-1", 0)), order_body(("K-1", 1))),
    ("inventory", "/api/inventory/items", new_item() | {"onHand": -1}, new_item())], ids=["order", "inventory"])
def test_a_refusal_is_not_kept(system, service, path, bad, good):
    client, key = system.client(service), {"Idempotency-Key": uuid.uuid4().hex}
    if service == "inventory":
        good = good | {"sku": new_item()["sku"]}
    client.post(path, bad, key).problem(422, "invalid-request")
    answer = client.post(path, good, key)
    answer.expect(201)
    assert "idempotency-replayed" not in answer.headers


def test_a_refused_change_keeps_its_key_free(system):
    shop, key = system.shop, {"Idempotency-Key": uuid.uuid4().hex}
    path = confirmed_order(shop)
    shop.orders.post(f"{path}/ship", {}, key).problem(409, "illegal-transition")
    shop.orders.post(f"{path}/process").expect(200)
    assert shop.orders.post(f"{path}/ship", {}, key).expect(200)["status"] == "SHIPPED"


@pytest.mark.parametrize("key", ["k" * 255, "!~", '"a \\"quoted\\" \\\\ key"'.replace(" ", "")], ids=["255 characters", "the ends of ASCII", "escapes"])
def test_a_key_may_be_any_visible_ascii(system, key):
    body = order_body((f"K-{uuid.uuid4().hex[:8]}", 1), customerId=new_customer())
    first, again = (system.client().post("/api/orders", body, {"Idempotency-Key": key}) for _ in range(2))
    assert first.expect(201) == again.expect(201) and again.headers["idempotency-replayed"] == "true"
