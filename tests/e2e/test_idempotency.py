"""One key, one effect, the same bytes for everybody who asks."""
import uuid

import pytest

from harness import all_at_once, order_body

CLIENTS = 32


def post_at_once(program, path, body, key):
    return all_at_once(CLIENTS, program.client, lambda client: client.post(path, body, {"Idempotency-Key": key}))


@pytest.mark.parametrize("quotes", ["", '"'])
def test_simultaneous_requests_with_one_key_make_one_order(shop, shared_program, quotes):
    key, reference = uuid.uuid4().hex, f"I-{uuid.uuid4().hex[:10]}"
    sku = shop.new_sku(100)
    body = order_body((sku, 3), externalRef=reference)
    answers = post_at_once(shared_program, "/api/orders", body, quotes + key + quotes)
    assert [answer.status for answer in answers] == [201] * CLIENTS
    assert len({answer.body for answer in answers}) == 1
    assert len({(answer.headers["location"], answer.headers["etag"]) for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotency-replayed", "") for answer in answers) == [""] + ["true"] * (CLIENTS - 1)
    assert len(shop.everything(f"/api/orders?externalRef={reference}")) == 1
    shop.becomes(answers[0].json()["id"], "CONFIRMED")
    assert shop.stock(sku) == (100, 3, 97)

    later = shop.orders.post("/api/orders", body, {"Idempotency-Key": key})
    assert later.body == answers[0].body and later.headers["idempotency-replayed"] == "true"  # as it was, not as it is


def test_a_key_with_another_body_is_refused(shop):
    sku, key = shop.new_sku(100), {"Idempotency-Key": uuid.uuid4().hex}
    body = order_body((sku, 1), externalRef=f"I-{uuid.uuid4().hex[:10]}")
    order = shop.orders.post("/api/orders", body, key).expect(201)
    shop.orders.post("/api/orders", body | {"deliveryInstructions": "at the back"}, key).problem(422, "idempotency-key-reused")
    assert [found["id"] for found in shop.everything(f"/api/orders?externalRef={body['externalRef']}")] == [order["id"]]


def test_a_refusal_is_not_kept(shop):
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = order_body((shop.new_sku(1), 1))
    shop.orders.post("/api/orders", body | {"currency": "XYZ"}, key).problem(422, "invalid-request")
    assert "idempotency-replayed" not in shop.orders.post("/api/orders", body, key).headers


def test_simultaneous_cancellations_with_one_key_are_one(shop, shared_program):
    sku = shop.new_sku(10)
    order = shop.place_confirmed((sku, 2))
    answers = post_at_once(shared_program, f"/api/orders/{order['id']}/cancel", {}, uuid.uuid4().hex)
    assert [answer.status for answer in answers] == [200] * CLIENTS
    assert len({answer.body for answer in answers}) == 1
    assert shop.order(order["id"])["version"] == order["version"] + 1
    shop.stock_becomes(sku, 10, 0, 10)


def test_a_key_is_of_its_route_alone(shop):
    sku, key = shop.new_sku(10), {"Idempotency-Key": uuid.uuid4().hex}
    first, second = shop.place_confirmed((sku, 1)), shop.place_confirmed((sku, 1))
    assert shop.change(first["id"], "cancel", {}, key).expect(200)["id"] == first["id"]
    assert shop.change(second["id"], "cancel", {}, key).expect(200)["id"] == second["id"]
