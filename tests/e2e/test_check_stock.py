"""The checker itself: silent about what adds up, loud about each thing that does not."""
import sqlite3

import pytest

from check_stock import check_stock

ORDERS = """
CREATE TABLE orders (id TEXT, status TEXT, total_amount INTEGER, shipping_amount INTEGER, adjustment_amount INTEGER);
CREATE TABLE order_items (order_id TEXT, line INTEGER, sku TEXT, quantity INTEGER, unit_amount INTEGER, tracked INTEGER);
CREATE TABLE order_history (order_id TEXT, revision INTEGER, status TEXT);
CREATE TABLE saga_instances (order_id TEXT, type TEXT, status TEXT);
INSERT INTO orders VALUES ('held', 'CONFIRMED', 32, 5, -3), ('gone', 'SHIPPED', 40, NULL, NULL), ('none', 'CANCELLED', 10, NULL, NULL), ('never', 'CANCELLED', 10, NULL, NULL);
INSERT INTO order_items VALUES ('held', 1, 'a', 1, 10, 1), ('held', 2, 'a', 2, 10, 1), ('gone', 1, 'a', 4, 10, 1), ('none', 1, 'b', 1, 10, 1), ('never', 1, 'b', 1, 10, 1);
INSERT INTO order_history VALUES ('held', 1, 'PENDING'), ('held', 2, 'CONFIRMED'), ('gone', 4, 'SHIPPED'), ('none', 2, 'CANCELLED'), ('never', 2, 'CANCELLED');
INSERT INTO saga_instances VALUES ('held', 'ORDER_FULFILMENT', 'COMPLETED');
"""
INVENTORY = """
CREATE TABLE inventory_items (sku TEXT, on_hand INTEGER, reserved INTEGER);
CREATE TABLE inventory_reservations (id TEXT, order_id TEXT, status TEXT);
CREATE TABLE inventory_reservation_items (reservation_id TEXT, sku TEXT, quantity INTEGER);
CREATE TABLE stock_movements (position INTEGER, sku TEXT, delta INTEGER, on_hand_after INTEGER, order_id TEXT);
INSERT INTO inventory_items VALUES ('a', 16, 3), ('b', 0, 0);
INSERT INTO inventory_reservations VALUES ('r1', 'held', 'RESERVED'), ('r2', 'gone', 'FULFILLED'), ('r3', 'none', 'RELEASED');
INSERT INTO inventory_reservation_items VALUES ('r1', 'a', 3), ('r2', 'a', 4), ('r3', 'b', 1);
INSERT INTO stock_movements VALUES (1, 'a', 20, 20, NULL), (2, 'a', -4, 16, 'gone');
"""

# database, what goes wrong, what the checker must say
FAULTS = [
    ("orders", "UPDATE orders SET status = 'PENDING' WHERE id = 'held'", "still PENDING"),
    ("orders", "UPDATE orders SET status = 'CANCELLED' WHERE id = 'held'", "an order and its reservation disagree"),
    ("orders", "DELETE FROM orders WHERE id = 'held'", "a reservation belongs to no order"),
    ("orders", "UPDATE order_items SET quantity = 9 WHERE line = 2", "other lines than its order"),
    ("orders", "UPDATE orders SET total_amount = 1 WHERE id = 'held'", "not the sum of its lines"),
    ("orders", "DELETE FROM order_history WHERE revision = 2 AND order_id = 'held'", "not where its history ends"),
    ("orders", "UPDATE saga_instances SET status = 'COMPENSATING'", "a saga is not over"),
    ("inventory", "UPDATE inventory_items SET reserved = 4 WHERE sku = 'a'", "reserved is not the sum"),
    ("inventory", "UPDATE inventory_items SET on_hand = 17 WHERE sku = 'a'", "on hand is not what the ledger says"),
    ("inventory", "UPDATE inventory_items SET on_hand = 2 WHERE sku = 'a'", "more is reserved than there is"),
    ("inventory", "UPDATE inventory_reservations SET status = 'RELEASED' WHERE id = 'r1'", "an order and its reservation disagree"),
    ("inventory", "UPDATE inventory_reservations SET status = 'RESERVED' WHERE id = 'r2'", "on hand and shipped are not what came in"),
    ("inventory", "INSERT INTO stock_movements VALUES (3, 'a', -1, 15, 'gone')", "the ledger shipped other units"),
    ("inventory", "UPDATE stock_movements SET on_hand_after = 21 WHERE position = 1", "the ledger does not add up"),
    ("inventory", "UPDATE inventory_reservation_items SET sku = 'z' WHERE reservation_id = 'r1'", "unknown SKU"),
]


def make(folder):
    urls = {}
    for name, script in (("orders", ORDERS), ("inventory", INVENTORY)):
        path = folder / f"{name}.db"
        with sqlite3.connect(path) as connection:
            connection.executescript(script)
        urls[name] = f"sqlite:{path}"
    return urls


def test_what_adds_up_has_no_faults(tmp_path):
    urls = make(tmp_path)
    figures, faults = check_stock(urls["orders"], urls["inventory"])
    assert faults == []
    assert "CANCELLED 2, CONFIRMED 1, SHIPPED 1" in figures[0] and "16 units on hand, 3 reserved, 4 shipped" in figures[1]


@pytest.mark.parametrize("database,change,expected", FAULTS, ids=[row[2] for row in FAULTS])
def test_each_fault_is_found(tmp_path, database, change, expected):
    urls = make(tmp_path)
    with sqlite3.connect(tmp_path / f"{database}.db") as connection:
        connection.execute(change)
    faults = check_stock(urls["orders"], urls["inventory"])[1]
    assert any(expected in line for line in faults), faults
