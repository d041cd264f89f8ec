"""Discounts, taxes and fees of an order: they count into its total, and reserve nothing."""
import pytest

from harness import order_body
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

ADJUSTMENTS = [
    {"kind": "DISCOUNT", "label": "Spring sale", "amount": -500},
    {"kind": "TAX", "label": "VAT 20 %", "amount": 320},
    {"kind": "FEE", "label": "Gift wrap", "amount": 250},
    {"kind": "OTHER", "label": "Rounding", "amount": 0},
]


def test_they_count_into_the_total_and_reserve_nothing(system):
    shop = system.shop
    sku = shop.new_sku(10)
    placed = shop.place((sku, 2), adjustments=ADJUSTMENTS, shippingAmount=495)
    lines = sum(line["lineAmount"] for line in placed["items"])
    assert placed["totalAmount"] == lines + 495 + 70
    assert placed["adjustments"] == ADJUSTMENTS
    confirmed = shop.becomes(placed["id"], "CONFIRMED")
    assert confirmed["adjustments"] == ADJUSTMENTS and confirmed["totalAmount"] == placed["totalAmount"]
    listed = shop.orders.get(f"/api/orders?customerId={placed['customerId']}&sku={sku}").expect(200)["items"]
    assert listed == [confirmed]
    shop.stock_becomes(sku, 10, 2, 8)


def test_an_order_without_any_shows_none(system):
    sku = system.shop.new_sku(1)
    assert "adjustments" not in system.shop.place((sku, 1))
    assert "adjustments" not in system.shop.place((f"NONE-{sku}", 1), adjustments=[])
    assert "adjustments" not in system.shop.place((f"NONE-{sku}", 1), adjustments=None)


@pytest.mark.parametrize("adjustments, members, pointer, detail", [
    ([{"kind": "DISCOUNT", "label": "Too much", "amount": -1000001}], {}, "/adjustments", "must not be below 0"),
    ([{"kind": "GIFT", "label": "x", "amount": 1}], {}, "/adjustments/0/kind", "DISCOUNT, TAX, FEE or OTHER"),
    ([{"kind": "FEE", "label": "x", "amount": 1.5}], {}, "/adjustments/0/amount", "smallest unit"),
    ([{"kind": "FEE", "label": "x", "amount": 1}], {"totalAmount": 7}, "/totalAmount", "shipping 0 and adjustments 1 come to"),
    ([{"kind": "FEE", "label": "x", "amount": 1}] * 101, {}, "/adjustments", "100"),
])
def test_a_wrong_one_is_told(system, adjustments, members, pointer, detail):
    body = order_body(("A", 1)) | {"adjustments": adjustments} | members
    faults = system.shop.orders.post("/api/orders", body).expect(422)["errors"]
    assert [fault["pointer"] for fault in faults] == [pointer]
    assert detail in faults[0]["detail"]
