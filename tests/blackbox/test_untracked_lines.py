"""Lines of what has no stock, such as gift cards: they count into the total, and nothing is reserved for them."""
import uuid

from harness import new_customer
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

ADDRESS = {"line1": "1 High Street", "city": "London", "postalCode": "N1 1AA", "country": "GB"}


def place(shop, *items):
    body = {"customerId": new_customer(), "currency": "GBP", "items": list(items), "shippingAddress": ADDRESS}
    return shop.orders.post("/api/orders", body).expect(201)


def gift_card():
    return {"sku": f"GIFT-{uuid.uuid4().hex[:8]}", "quantity": 1, "unitAmount": 5000, "tracked": False}


def test_only_the_tracked_line_is_reserved(system):
    shop = system.shop
    sku = shop.new_sku(5)
    card = gift_card()
    order = place(shop, {"sku": sku, "quantity": 2, "unitAmount": 100}, card, {"sku": sku, "quantity": 1, "unitAmount": 10, "tracked": False})
    assert order["totalAmount"] == 5210
    assert [line.get("tracked", True) for line in order["items"]] == [True, False, False]
    confirmed = shop.becomes(order["id"], "CONFIRMED")
    assert confirmed["items"] == order["items"]
    shop.stock_becomes(sku, 5, 2, 3)
    shop.change(order["id"], "process").expect(200)
    shop.change(order["id"], "ship").expect(200)
    shop.stock_becomes(sku, 3, 0, 3)


def test_an_order_of_gift_cards_alone_is_confirmed_and_goes_its_way(system):
    shop = system.shop
    order = place(shop, gift_card(), gift_card())
    shop.becomes(order["id"], "CONFIRMED")
    for action in ("process", "ship", "deliver"):
        shop.change(order["id"], action).expect(200)
    shop.comes_to_rest()
    assert shop.order(order["id"])["status"] == "DELIVERED"


def test_an_order_of_gift_cards_alone_can_be_cancelled(system):
    shop = system.shop
    order = place(shop, gift_card())
    shop.becomes(order["id"], "CONFIRMED")
    shop.change(order["id"], "cancel").expect(200)
    shop.comes_to_rest()
    assert shop.order(order["id"])["status"] == "CANCELLED"
    assert {saga["status"] for saga in shop.sagas(order["id"]).values()} <= {"COMPLETED", "COMPENSATED"}


def test_tracked_is_true_or_false(system):
    answer = system.shop.orders.post("/api/orders", {
        "customerId": "c", "currency": "GBP", "shippingAddress": ADDRESS, "items": [{"sku": "A", "quantity": 1, "unitAmount": 1, "tracked": "no"}]})
    assert [fault["pointer"] for fault in answer.expect(422)["errors"]] == ["/items/0/tracked"]
