"""The life of an order through HTTP, with stock after each step."""
import json
import uuid

import pytest

from harness import Shop, new_customer, order_body, wait_until

ACTIONS = ["process", "ship", "deliver", "cancel"]


def bring_to(shop, status, sku):
    """An order of two units that has come as far as the status."""
    order = shop.place_confirmed((sku, 2))
    for action, reached in (("process", "PROCESSING"), ("ship", "SHIPPED"), ("deliver", "DELIVERED")):
        if order["status"] == status:
            return order
        order = shop.change(order["id"], action).expect(200)
        assert order["status"] == reached
    return order


def test_an_order_goes_to_delivered_and_stock_follows(shop, stock_adds_up):
    sku = shop.new_sku(10)
    placed = shop.place((sku, 1), (sku, 2), shippingAmount=495, externalRef="E-1")
    assert placed["status"] == "PENDING" and placed["version"] == 1
    assert placed["totalAmount"] == 3 * 250 + 495
    assert [line["lineAmount"] for line in placed["items"]] == [250, 500]

    order = shop.becomes(placed["id"], "CONFIRMED")
    assert shop.stock(sku) == (10, 3, 7)
    assert [(r["status"], r["items"]) for r in shop.reservations(order["id"])] == [("RESERVED", [{"sku": sku, "quantity": 3}])]

    assert shop.change(order["id"], "process").expect(200)["status"] == "PROCESSING"
    assert shop.stock(sku) == (10, 3, 7)

    shipped = shop.change(order["id"], "ship", {"carrier": "Royal Mail", "trackingNumber": "RM1"}).expect(200)
    assert shipped["status"] == "SHIPPED" and shipped["shipment"] == {"carrier": "Royal Mail", "trackingNumber": "RM1"}
    shop.stock_becomes(sku, 7, 0, 7)
    assert [r["status"] for r in shop.reservations(order["id"])] == ["FULFILLED"]

    assert shop.change(order["id"], "deliver").expect(200)["status"] == "DELIVERED"
    assert shop.stock(sku) == (7, 0, 7)

    timeline = shop.orders.get(f"/api/orders/{order['id']}/timeline").expect(200)["items"]
    assert [entry["to"] for entry in timeline] == ["PENDING", "CONFIRMED", "PROCESSING", "SHIPPED", "DELIVERED"]
    assert [entry["version"] for entry in timeline] == [1, 2, 3, 4, 5]
    assert len({entry["eventId"] for entry in timeline}) == 5
    assert [entry["at"] for entry in timeline] == sorted(entry["at"] for entry in timeline)

    saga = shop.sagas(order["id"])["ORDER_FULFILMENT"]
    assert saga["status"] == "COMPLETED" and [step["name"] for step in saga["steps"]] == ["reserve", "confirm"]
    assert {step["status"] for step in saga["steps"]} == {"DONE"}
    assert shop.orders.get(f"/api/sagas/{saga['id']}").expect(200) == saga


@pytest.mark.parametrize("status", ["CONFIRMED", "PROCESSING"])
def test_a_cancelled_order_gives_its_stock_back(shop, status):
    sku = shop.new_sku(10)
    order = bring_to(shop, status, sku)
    assert shop.stock(sku) == (10, 2, 8)
    cancelled = shop.change(order["id"], "cancel", {"reason": "CUSTOMER_REQUEST"}).expect(200)
    assert (cancelled["status"], cancelled["cancelReason"]) == ("CANCELLED", "CUSTOMER_REQUEST")
    shop.stock_becomes(sku, 10, 0, 10)
    assert [r["status"] for r in shop.reservations(order["id"])] == ["RELEASED"]
    shop.saga_becomes(order["id"], "ORDER_CANCELLATION", "COMPLETED")


def test_a_pending_order_that_is_cancelled_never_holds_stock(program, stock_adds_up):
    shop = Shop(program.start())
    sku = shop.new_sku(10)
    program.stop()
    shop = Shop(program.start("--no-inventory"))
    order = shop.place((sku, 2))
    cancelled = shop.change(order["id"], "cancel").expect(200)
    assert (cancelled["status"], cancelled["cancelReason"]) == ("CANCELLED", "CUSTOMER_REQUEST")
    assert shop.sagas(order["id"])["ORDER_FULFILMENT"]["status"] == "COMPENSATING"  # until it is known that nothing is held
    program.stop()
    shop = Shop(program.start())
    shop.saga_becomes(order["id"], "ORDER_FULFILMENT", "COMPENSATED")
    assert shop.order(order["id"])["status"] == "CANCELLED"
    assert shop.stock(sku) == (10, 0, 10)
    shop.comes_to_rest()
    stock_adds_up(program)


def test_an_order_beyond_stock_is_cancelled_and_holds_nothing(shop):
    plenty, scarce = shop.new_sku(10), shop.new_sku(1)
    order = shop.place((plenty, 5), (scarce, 2))
    cancelled = shop.becomes(order["id"], "CANCELLED")
    assert cancelled["cancelReason"] == "OUT_OF_STOCK"
    assert cancelled["cancelDetails"] == [{"sku": scarce, "requested": 2, "available": 1, "reason": "INSUFFICIENT_STOCK"}]
    assert shop.stock(plenty) == (10, 0, 10) and shop.stock(scarce) == (1, 0, 1)
    assert shop.reservations(order["id"]) == []
    saga = shop.sagas(order["id"])["ORDER_FULFILMENT"]
    assert saga["status"] == "COMPENSATED"
    assert saga["steps"][0]["lastError"] == f"of {scarce} 2 were asked for, 1 are available"
    assert shop.orders.get(f"/api/orders/{order['id']}/timeline").expect(200)["items"][-1]["cancelDetails"] == cancelled["cancelDetails"]


def test_lines_of_one_sku_are_reserved_as_their_sum(shop):
    sku = shop.new_sku(3)
    order = shop.place((sku, 2), (sku, 2))
    assert shop.becomes(order["id"], "CANCELLED")["cancelReason"] == "OUT_OF_STOCK"
    assert shop.stock(sku) == (3, 0, 3)


def test_an_unknown_sku_is_told_apart(shop):
    sku, scarce = f"NONE-{uuid.uuid4().hex[:8]}", shop.new_sku(1)
    cancelled = shop.becomes(shop.place((sku, 1), (scarce, 2))["id"], "CANCELLED")
    assert cancelled["cancelReason"] == "UNKNOWN_SKU"
    assert sorted(cancelled["cancelDetails"], key=lambda line: line["reason"]) == [
        {"sku": scarce, "requested": 2, "available": 1, "reason": "INSUFFICIENT_STOCK"},
        {"sku": sku, "requested": 1, "available": 0, "reason": "UNKNOWN_SKU"}]


def test_an_order_that_nobody_answers_times_out_and_a_late_reservation_is_undone(program, stock_adds_up):
    shop = Shop(program.start())
    sku = shop.new_sku(10)
    program.stop()
    shop = Shop(program.start("--no-inventory", "--reserve-timeout", "500ms"))
    order = shop.place((sku, 2))
    cancelled = shop.becomes(order["id"], "CANCELLED")
    assert cancelled["cancelReason"] == "TIMED_OUT"
    assert shop.sagas(order["id"])["ORDER_FULFILMENT"]["status"] == "COMPENSATING"
    program.stop()
    shop = Shop(program.start())  # now inventory reads the order, and then its cancellation
    shop.saga_becomes(order["id"], "ORDER_FULFILMENT", "COMPENSATED")
    assert shop.order(order["id"])["cancelReason"] == "TIMED_OUT"
    assert shop.stock(sku) == (10, 0, 10)
    shop.comes_to_rest()
    stock_adds_up(program)


@pytest.mark.parametrize("status,allowed", [("CONFIRMED", {"process", "cancel"}), ("PROCESSING", {"ship", "cancel"}),
                                            ("SHIPPED", {"deliver"}), ("DELIVERED", set()), ("CANCELLED", set())])
def test_what_the_life_of_an_order_does_not_know_is_refused(shop, status, allowed):
    sku = shop.new_sku(10)
    order = bring_to(shop, "CONFIRMED" if status == "CANCELLED" else status, sku)
    if status == "CANCELLED":
        order = shop.change(order["id"], "cancel").expect(200)
    for action in set(ACTIONS) - allowed:
        shop.change(order["id"], action).problem(409, "illegal-transition")
    assert shop.order(order["id"]) == order  # nothing of it left a trace


def test_a_client_cannot_confirm_an_order(shop):
    order = shop.place_confirmed((shop.new_sku(5), 1))
    shop.orders.call("PUT", f"/api/orders/{order['id']}/status", {"status": "CONFIRMED"}).problem(409, "illegal-transition")


def test_put_status_and_delete_are_the_same_transitions(shop):
    sku = shop.new_sku(10)
    first, second = shop.place_confirmed((sku, 1)), shop.place_confirmed((sku, 1))
    path = f"/api/orders/{first['id']}/status"
    assert shop.orders.call("PUT", path, {"status": "PROCESSING"}).expect(200)["status"] == "PROCESSING"
    assert shop.orders.call("PUT", path, {"status": "SHIPPED", "carrier": "DHL"}).expect(200)["shipment"]["carrier"] == "DHL"
    deleted = shop.orders.call("DELETE", f"/api/orders/{second['id']}").expect(200)
    assert (deleted["status"], deleted["cancelReason"]) == ("CANCELLED", "CUSTOMER_REQUEST")
    shop.stock_becomes(sku, 9, 0, 9)


def test_an_order_can_be_waited_for(shop):
    sku = shop.new_sku(1)
    confirmed = shop.orders.post("/api/orders?wait=confirmed", order_body((sku, 1))).expect(201)
    assert confirmed["status"] == "CONFIRMED"
    refused = shop.orders.post("/api/orders", order_body((sku, 1)), {"Prefer": "wait=5"}).expect(201)
    assert (refused["status"], refused["cancelReason"]) == ("CANCELLED", "OUT_OF_STOCK")


def test_a_version_guards_a_change(shop):
    order = shop.place_confirmed((shop.new_sku(10), 1))
    read = shop.orders.get(f"/api/orders/{order['id']}")
    assert read.headers["etag"] == f'"{order["version"]}"'
    shop.change(order["id"], "process", None, {"If-Match": '"1"'}).problem(412, "precondition-failed")
    changed = shop.change(order["id"], "process", None, {"If-Match": read.headers["etag"]})
    assert changed.expect(200)["version"] == order["version"] + 1
    assert changed.headers["etag"] == f'"{order["version"] + 1}"'
    shop.change(order["id"], "ship", None, {"If-Match": read.headers["etag"]}).problem(412, "precondition-failed")


def test_orders_are_listed_newest_first_page_by_page(shop):
    sku, customer = shop.new_sku(100), new_customer()
    references = [f"L-{uuid.uuid4().hex[:8]}" for _ in range(5)]
    orders = [shop.place((sku, 1), customerId=customer, externalRef=reference) for reference in references]
    for order in orders:
        shop.becomes(order["id"], "CONFIRMED")
    shop.change(orders[0]["id"], "cancel").expect(200)
    mine = f"/api/orders?customerId={customer}"

    first = shop.orders.get(mine + "&limit=2")
    assert 'rel="next"' in first.headers["link"]
    assert [order["externalRef"] for order in first.expect(200)["items"]] == references[:2:-1]
    assert [order["externalRef"] for order in shop.everything(mine + "&limit=2")] == references[::-1]
    assert [order["id"] for order in shop.everything(mine + "&status=CANCELLED")] == [orders[0]["id"]]
    assert len(shop.everything(mine + "&status=CONFIRMED")) == 4
    assert [order["id"] for order in shop.everything(f"/api/orders?externalRef={references[3]}")] == [orders[3]["id"]]
    between = f"&createdFrom={orders[1]['createdAt']}&createdTo={orders[3]['createdAt']}"
    found = [order["externalRef"] for order in shop.everything(mine + between)]
    assert set(references[1:3]) <= set(found) <= set(references[1:4])  # whether the end is part of it is the contract's to say
    assert shop.orders.get(f"/api/orders?customerId={new_customer()}").expect(200) == {"items": [], "nextCursor": None}


def test_the_status_alone_follows_the_order(shop):
    order = shop.place_confirmed((shop.new_sku(3), 1))
    status = shop.orders.get(f"/api/orders/{order['id']}/status").expect(200)
    assert status == {"id": order["id"], "status": "CONFIRMED", "version": order["version"], "updatedAt": order["updatedAt"]}
    shop.change(order["id"], "cancel", {"reason": "CHANGED_MIND"}).expect(200)
    status = shop.orders.get(f"/api/orders/{order['id']}/status").expect(200)
    assert (status["status"], status["cancelReason"]) == ("CANCELLED", "CHANGED_MIND")


def test_an_integer_may_be_written_with_a_point(shop):
    body = json.dumps(order_body((shop.new_sku(10), 217))).replace("217", "217.0")
    assert shop.orders.post("/api/orders", body.encode()).expect(201)["items"][0]["quantity"] == 217


def test_an_adjustment_is_in_the_ledger_once(shop):
    sku = shop.new_sku(10)
    path, key = f"/api/inventory/items/{sku}/adjustments", {"Idempotency-Key": uuid.uuid4().hex}
    first = shop.inventory.post(path, {"delta": 5, "reason": "RETURN"}, key)
    again = shop.inventory.post(path, {"delta": 5, "reason": "RETURN"}, key)
    assert first.status == again.status and first.body == again.body and 200 <= first.status < 300
    assert shop.stock(sku) == (15, 0, 15)
    ledger = shop.inventory.get(f"/api/inventory/items/{sku}/movements").expect(200)["items"]
    assert sum(row["delta"] for row in ledger) == 15 and [row["delta"] for row in ledger].count(5) == 1


@pytest.mark.parametrize("service", ["order", "inventory", "relay"])
def test_each_service_says_how_it_is(shared_program, service):
    client = shared_program.client(service)
    health = wait_until(lambda: client.get("/actuator/health") if client.get("/actuator/health").status == 200 else None)
    assert health.json()["status"] == "UP" and health.json()["components"]
    for probe in ("liveness", "readiness"):
        assert client.get(f"/actuator/health/{probe}").expect(200)["status"] == "UP"
    metrics = client.get("/actuator/prometheus")
    assert metrics.status == 200 and b"http_server_requests_seconds" in metrics.body


def test_the_relay_has_nothing_left_once_all_is_confirmed(shared_program):
    shop = Shop(shared_program)
    shop.place_confirmed((shop.new_sku(1), 1))
    relay = shared_program.client("relay")
    wait_until(lambda: relay.get("/api/relay/status").expect(200)["backlog"] == 0, what="an empty backlog")
    assert relay.get("/api/relay/status").expect(200)["parkedKeys"] == 0
