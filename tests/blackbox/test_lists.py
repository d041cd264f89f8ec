"""Lists: pages of one and of two through to the end, with every filter; Link and nextCursor lead the same way."""
import re
import urllib.parse
import uuid

import pytest

from harness import new_customer, order_body, wait_until
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

LIMITS = (1, 2, 3)


def pages(client, path, limit):
    """Every page of a list, by its Link; nextCursor leads to the same page."""
    joint = "&" if "?" in path else "?"
    target, found = f"{path}{joint}limit={limit}", []
    while target:
        answer = client.get(target)
        page = answer.expect(200)
        assert page.keys() >= {"items", "nextCursor"} and len(page["items"]) <= limit
        found.append(page["items"])
        assert len(found) < 200, "a list without end"
        if page["nextCursor"] is None:
            assert "link" not in answer.headers
            return found
        link = re.fullmatch(r'<(/[^>]*)>; rel="next"', answer.headers["link"])
        target = link[1]
        assert len(page["items"]) == limit  # only the last page may be short
        if len(found) <= 3:
            by_cursor = client.get(f"{path}{joint}limit={limit}&cursor={urllib.parse.quote(page['nextCursor'], safe='')}")
            assert by_cursor.expect(200) == client.get(target).expect(200)


def whole(client, path):
    """The items of the list, which are the same for every page size; read again when an order of an earlier test still moved."""
    def read():
        page = client.get(path + ("&" if "?" in path else "?") + "limit=500").expect(200)
        assert page["nextCursor"] is None
        return page["items"]

    for _ in range(20):
        wanted = read()
        found = {limit: [item for page in pages(client, path, limit) for item in page] for limit in LIMITS}
        first = client.get(path).expect(200)["items"]
        if read() == wanted:
            break
    for limit in LIMITS:
        assert found[limit] == wanted, f"pages of {limit} of {path}"
    assert first == wanted[:50]
    return wanted


@pytest.fixture(scope="module")
def orders(system):
    """Five orders of one customer, oldest first: CONFIRMED, CANCELLED, PROCESSING, CONFIRMED, CANCELLED for want of stock."""
    shop, customer = system.shop, new_customer()
    plenty, none = shop.new_sku(100), f"NONE-{uuid.uuid4().hex[:8]}"
    references = [f"L {uuid.uuid4().hex[:8]}&=/é" for _ in range(4)]
    references.append(references[0])  # two orders may bear one
    placed = []
    for number, reference in enumerate(references):
        order = shop.place((none if number == 4 else plenty, 1), customerId=customer, externalRef=reference)
        if placed:
            assert order["createdAt"] > placed[-1]["createdAt"]
        placed.append(shop.becomes(order["id"], "CANCELLED" if number == 4 else "CONFIRMED"))
    shop.change(placed[1]["id"], "cancel").expect(200)
    shop.change(placed[2]["id"], "process").expect(200)
    shop.comes_to_rest()
    return [shop.order(order["id"]) for order in placed]


# The filter, and which of the five it finds; {0}.. are the orders.
ORDER_FILTERS = {
    "none but the customer": ("", [0, 1, 2, 3, 4]),
    "status CONFIRMED": ("&status=CONFIRMED", [0, 3]),
    "status CANCELLED": ("&status=CANCELLED", [1, 4]),
    "status PROCESSING": ("&status=PROCESSING", [2]),
    "status SHIPPED": ("&status=SHIPPED", []),
    "two statuses": ("&status=PROCESSING,confirmed", [0, 2, 3]),
    "two statuses in two parameters": ("&status=PROCESSING&status=CONFIRMED", [0, 2, 3]),
    "a SKU": ("&sku={sku}", [0, 1, 2, 3]),
    "a SKU and a status": ("&sku={sku}&status=CANCELLED", [1]),
    "waiting for a person": ("&stuck=true", []),
    "a reference": ("&externalRef={ref}", [0, 4]),
    "a reference and a status": ("&externalRef={ref}&status=CONFIRMED", [0]),
    "created from the second on": ("&createdFrom={times[1]}", [1, 2, 3, 4]),
    "created before the fourth": ("&createdTo={times[3]}", [0, 1, 2]),
    "created between": ("&createdFrom={times[1]}&createdTo={times[3]}", [1, 2]),
    "created at no time": ("&createdFrom={times[1]}&createdTo={times[1]}", []),
    "everything at once": ("&createdFrom={times[0]}&createdTo={times[4]}&status=CONFIRMED&externalRef={ref}", [0]),
}


@pytest.mark.parametrize("name", ORDER_FILTERS)
def test_orders_come_newest_first(system, orders, name):
    text, places = ORDER_FILTERS[name]
    times = [order["createdAt"] for order in orders]
    ref = orders[0]["externalRef"].replace(" ", "%20").replace("&", "%26").replace("=", "%3D").replace("é", "%C3%A9")
    found = whole(system.shop.orders, f"/api/orders?customerId={orders[0]['customerId']}" + text.format(times=times, ref=ref, sku=orders[0]["items"][0]["sku"]))
    assert found == [orders[place] for place in reversed(places)]


def test_orders_come_by_their_last_change(system, orders):
    client, path = system.shop.orders, f"/api/orders?customerId={orders[0]['customerId']}"
    changed = sorted(orders, key=lambda order: (order["updatedAt"], order["id"]))
    assert whole(client, path + "&sort=updatedAt") == changed
    assert whole(client, path + f"&updatedFrom={changed[2]['updatedAt']}") == changed[2:]
    refused = client.get(path + f"&updatedFrom={changed[2]['updatedAt']}&sort=createdAt").expect(422)
    assert [fault["pointer"] for fault in refused["errors"]] == ["sort"]


def test_a_summary_has_no_lines_and_no_address(system, orders):
    client, path = system.shop.orders, f"/api/orders?customerId={orders[0]['customerId']}&view=summary"
    absent = {"items", "shippingAddress", "metadata", "deliveryInstructions", "shippingAmount", "cancelDetails"}
    wanted = [{name: value for name, value in order.items() if name not in absent} | {"lineCount": 1} for order in reversed(orders)]
    assert whole(client, path) == wanted


def test_orders_of_everybody_hold_these(system, orders):
    found = whole(system.shop.orders, "/api/orders")
    assert [order for order in found if order["customerId"] == orders[0]["customerId"]] == orders[::-1]
    assert [order["createdAt"] for order in found] == sorted((order["createdAt"] for order in found), reverse=True)
    references = [order["id"] for order in whole(system.shop.orders, "/api/orders?externalRef=nobody")]
    assert references == []


def test_a_page_that_was_begun_goes_on_while_orders_come(system, orders):
    client, path = system.shop.orders, f"/api/orders?customerId={orders[0]['customerId']}"
    first = client.get(path + "&limit=2").expect(200)
    late = system.shop.place((f"NONE-{uuid.uuid4().hex[:8]}", 1), customerId=orders[0]["customerId"])
    second = client.get(f"{path}&limit=3&cursor={first['nextCursor']}").expect(200)
    assert first["items"] + second["items"] == orders[::-1] and second["nextCursor"] is None
    assert client.get(path + "&limit=1").expect(200)["items"][0]["id"] == late["id"]
    system.shop.becomes(late["id"], "CANCELLED")
    orders.append(system.shop.order(late["id"]))
    orders.sort(key=lambda order: order["createdAt"])


def sagas_of(orders):
    """(type, status) of the sagas that the five orders have."""
    fulfilled, undone = ("ORDER_FULFILMENT", "COMPLETED"), ("ORDER_FULFILMENT", "COMPENSATED")
    wanted = [(order["id"], *(undone if order.get("cancelReason") in ("OUT_OF_STOCK", "UNKNOWN_SKU") else fulfilled)) for order in orders]
    return wanted + [(order["id"], "ORDER_CANCELLATION", "COMPLETED") for order in orders if order.get("cancelReason") == "CUSTOMER_REQUEST"]


@pytest.mark.parametrize("query", ["", "?status=COMPLETED", "?status=COMPENSATED", "?status=BLOCKED", "?type=ORDER_FULFILMENT", "?type=ORDER_CANCELLATION",
                                   "?type=ORDER_FULFILMENT&status=COMPENSATED"])
def test_sagas_by_status_and_type(system, orders, query):
    asked = dict(part.split("=") for part in query[1:].split("&") if part)
    found = whole(system.shop.orders, "/api/sagas" + query)
    ids = {order["id"] for order in orders}
    seen = [(saga["orderId"], saga["type"], saga["status"]) for saga in found if saga["orderId"] in ids]
    wanted = [row for row in sagas_of(orders) if asked.get("type", row[1]) == row[1] and asked.get("status", row[2]) == row[2]]
    assert sorted(seen) == sorted(wanted)
    assert len({saga["id"] for saga in found}) == len(found)
    for saga in found[:3]:
        assert system.shop.orders.get(f"/api/sagas/{saga['id']}").expect(200) == saga


def test_sagas_of_one_order(system, orders):
    order = next(order for order in orders if order.get("cancelReason") == "CUSTOMER_REQUEST")
    found = whole(system.shop.orders, f"/api/sagas?orderId={order['id']}")
    assert {saga["type"] for saga in found} == {"ORDER_FULFILMENT", "ORDER_CANCELLATION"} and len(found) == 2
    assert [saga["type"] for saga in whole(system.shop.orders, f"/api/sagas?orderId={order['id']}&type=ORDER_CANCELLATION")] == ["ORDER_CANCELLATION"]


@pytest.fixture(scope="module")
def items(system):
    """Five items in the order of their SKUs (bytewise: capitals first), in two categories, four of them scarce: one by the default threshold."""
    prefix, client = f"L{uuid.uuid4().hex[:8]}", system.client("inventory")
    rows = [("-A", "one", 5, 5), ("-B b/1", "two", 0, 3), ("-C:1", "one", 7, 6), ("-a", "one", 2, None), ("-b", "two", 1, 4)]
    for tail, category, on_hand, threshold in reversed(rows):
        body = {"sku": prefix + tail, "name": f"Thing {tail} 50%_", "category": prefix + category, "onHand": on_hand}
        client.post("/api/inventory/items", body | ({} if threshold is None else {"lowStockThreshold": threshold})).expect(201)
    return prefix, [prefix + row[0] for row in rows]


@pytest.mark.parametrize("query,places", [
    ("?q={prefix}", [0, 1, 2, 3, 4]), ("?q={lower}-A", [0, 3]), ("?category={prefix}one", [0, 2, 3]), ("?category={prefix}two", [1, 4]),
    ("?q={prefix}&lowStock=true", [0, 1, 3, 4]), ("?q={prefix}&lowStock=false", [0, 1, 2, 3, 4]), ("?category={prefix}one&lowStock=true", [0, 3]),
    ("?q={prefix}&category={prefix}two&lowStock=true", [1, 4]), ("?category={prefix}", []), ("?q={prefix}%25", []), ("?q={prefix}_A", [])])
def test_items_come_by_sku(system, items, query, places):
    prefix, skus = items
    found = whole(system.shop.inventory, "/api/inventory/items" + query.format(prefix=prefix, lower=prefix.lower()))
    assert [item["sku"] for item in found] == [skus[place] for place in places]


def test_items_are_found_by_name(system, items):
    _, skus = items
    found = {item["sku"] for item in whole(system.shop.inventory, "/api/inventory/items?q=tHING%20-B")}
    assert {skus[1], skus[4]} <= found and not {skus[0], skus[2], skus[3]} & found
    assert {item["sku"] for item in whole(system.shop.inventory, "/api/inventory/items?q=50%25_")} >= set(skus)


def test_all_items_are_in_the_list_of_all(system, items):
    _, skus = items
    found = [item["sku"] for item in whole(system.shop.inventory, "/api/inventory/items")]
    assert [sku for sku in found if sku in skus] == skus and found == sorted(found, key=str.encode)


def test_the_ledger_comes_newest_first(system):
    shop, sku = system.shop, f"L{uuid.uuid4().hex[:8]} /x"
    path = "/api/inventory/items/" + sku.replace(" ", "%20").replace("/", "%2F")
    shop.inventory.post("/api/inventory/items", {"sku": sku, "name": "A thing", "onHand": 10}).expect(201)
    for delta in (5, -2, 4):
        shop.inventory.post(f"{path}/adjustments", {"delta": delta, "reason": "FOUND"}, {"Idempotency-Key": uuid.uuid4().hex}).expect(200)
    order = shop.place_confirmed((sku, 3))["id"]
    for action in ("process", "ship"):
        shop.change(order, action).expect(200)
    wait_until(lambda: shop.inventory.get(path).json()["onHand"] == 14, what="the shipment")
    found = whole(shop.inventory, f"{path}/movements")
    assert [(row["delta"], row["onHandAfter"], row["reason"], row.get("orderId")) for row in found] == [
        (-3, 14, "SHIPMENT", order), (4, 17, "FOUND", None), (-2, 13, "FOUND", None), (5, 15, "FOUND", None), (10, 10, "CREATED", None)]
    assert {row["sku"] for row in found} == {sku}


@pytest.fixture(scope="module")
def reservations(system):
    """Of five orders of one SKU, oldest first: RESERVED, RELEASED, FULFILLED, RESERVED, RESERVED; and the SKU."""
    shop = system.shop
    sku, other = shop.new_sku(100), shop.new_sku(100)
    orders = [shop.place_confirmed((sku, number + 1), (other, 1), (sku, 1))["id"] for number in range(5)]
    shop.change(orders[1], "cancel").expect(200)
    for action in ("process", "ship"):
        shop.change(orders[2], action).expect(200)
    wait_until(lambda: [shop.reservations(orders[place])[0]["status"] for place in (1, 2)] == ["RELEASED", "FULFILLED"], what="stock following")
    return sku, other, orders


@pytest.mark.parametrize("query,places", [
    ("?sku={sku}", [0, 1, 2, 3, 4]), ("?sku={other}", [0, 1, 2, 3, 4]), ("?sku={sku}&status=RESERVED", [0, 3, 4]), ("?sku={sku}&status=RELEASED", [1]),
    ("?sku={sku}&status=FULFILLED", [2]), ("?sku={sku}&status=EXPIRED", []), ("?orderId={orders[3]}", [3]), ("?orderId={orders[3]}&status=RESERVED", [3]),
    ("?orderId={orders[3]}&status=RELEASED", [])])
def test_reservations_come_newest_first(system, reservations, query, places):
    sku, other, orders = reservations
    found = whole(system.shop.inventory, "/api/inventory/reservations" + query.format(sku=sku, other=other, orders=orders))
    assert [reservation["orderId"] for reservation in found] == [orders[place] for place in reversed(places)]
    for reservation in found:
        lines = sorted([(sku, orders.index(reservation["orderId"]) + 2), (other, 1)])
        assert [(line["sku"], line["quantity"]) for line in reservation["items"]] == lines
        assert system.shop.inventory.get(f"/api/inventory/reservations/{reservation['id']}").expect(200) == reservation


@pytest.mark.parametrize("query,places", [("", [0, 1, 2, 3, 4]), ("?status=RESERVED", [0, 3, 4]), ("?status=RELEASED", [1]), ("?status=FULFILLED", [2])])
def test_reservations_of_everybody_hold_these(system, reservations, query, places):
    _, _, orders = reservations
    found = [one["orderId"] for one in whole(system.shop.inventory, "/api/inventory/reservations" + query)]
    assert [order for order in found if order in orders] == [orders[place] for place in reversed(places)]


def test_availability_separates_known_and_unknown_skus(system, items):
    _, skus = items
    asked = "&".join("sku=" + sku.replace(" ", "%20").replace("/", "%2F") for sku in [*skus, "NONE-1", skus[0]])
    answer = system.shop.inventory.get("/api/inventory/availability?" + asked).expect(200)
    assert [(one["sku"], one["onHand"], one["reserved"], one["available"]) for one in sorted(answer["items"], key=lambda one: one["sku"].encode())] == [
        (skus[0], 5, 0, 5), (skus[1], 0, 0, 0), (skus[2], 7, 0, 7), (skus[3], 2, 0, 2), (skus[4], 1, 0, 1)]
    assert answer["unknown"] == ["NONE-1"]


def test_events_that_wait_are_listed_while_the_relay_is_paused(system):
    shop, relay = system.shop, system.client("relay")
    wait_until(lambda: relay.get("/api/relay/status").expect(200)["backlog"] == 0, what="an empty backlog")
    assert relay.post("/api/relay/pause").expect(200) == {"paused": True}
    try:
        assert relay.get("/api/relay/status").expect(200)["paused"] is True
        orders = [shop.place((f"NONE-{uuid.uuid4().hex[:8]}", 1))["id"] for _ in range(4)]
        cancelled = shop.change(orders[0], "cancel").expect(200)
        wait_until(lambda: relay.get("/api/relay/status").expect(200)["backlog"] == 5, what="five events that wait")
        # The relay's last page may be full: another one, which is empty, follows it.
        found = relay.get("/api/relay/events?limit=500").expect(200)["items"]
        assert [(event["type"], event["key"], event["sequence"], event["state"]) for event in found] == [
            *(("ORDER_CREATED", order, 1, "UNPUBLISHED") for order in orders), ("ORDER_CANCELLED", orders[0], 2, "UNPUBLISHED")]
        assert found == relay.get("/api/relay/events?state=unpublished").expect(200)["items"]
        for limit in (1, 2):
            assert [event for page in pages(relay, "/api/relay/events", limit) for event in page] == found
        assert relay.get("/api/relay/events?state=parked").expect(200) == {"items": [], "nextCursor": None}
        assert shop.order(orders[0]) == cancelled
    finally:
        assert relay.post("/api/relay/resume", {}).expect(200) == {"paused": False}
    for order in orders[1:]:
        shop.becomes(order, "CANCELLED")
    wait_until(lambda: relay.get("/api/relay/events").expect(200)["items"] == [], what="all of it being published")
