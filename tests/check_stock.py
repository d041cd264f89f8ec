#!/usr/bin/env python3
"""Checks stock against orders by reading both databases from outside. At rest: nothing under way, nothing PENDING.

    tests/check_stock.py --order-database sqlite:.data/orders.db --inventory-database sqlite:.data/inventory.db

Prints the figures and exits 0, or prints the evidence and exits 1.
"""
import argparse
import collections
import sys
import time

from databases import Database

EVIDENCE_MAX = 10  # examples of each kind of fault

# The reservation that an order must have when nothing is under way; None: there may be no row at all.
EXPECTED = {
    "CONFIRMED": {"RESERVED"},
    "PROCESSING": {"RESERVED"},
    "SHIPPED": {"FULFILLED"},
    "DELIVERED": {"FULFILLED"},
    "CANCELLED": {"REFUSED", "RELEASED", "CANCELLED_FIRST", None},
}


class Stock:
    """Both databases, read once."""

    def __init__(self, orders, inventory):
        self.status = dict(orders.rows("SELECT id, status FROM orders"))
        self.totals = {row[0]: (int(row[1]), int(row[2]))
                       for row in orders.rows("""SELECT o.id, o.total_amount, coalesce(o.shipping_amount, 0) + coalesce(o.adjustment_amount, 0) + sum(i.quantity * i.unit_amount)
                                                 FROM orders o JOIN order_items i ON i.order_id = o.id
                                                 GROUP BY o.id, o.total_amount, o.shipping_amount, o.adjustment_amount""")}
        self.ordered = lines_by(orders.rows("SELECT order_id, sku, sum(quantity) FROM order_items WHERE tracked GROUP BY order_id, sku"))
        self.last_change = dict(orders.rows("""SELECT h.order_id, h.status FROM order_history h
            JOIN (SELECT order_id, max(revision) AS revision FROM order_history GROUP BY order_id) l
              ON l.order_id = h.order_id AND l.revision = h.revision"""))
        self.open_sagas = orders.rows("""SELECT order_id, type, status FROM saga_instances
                                         WHERE status IN ('RUNNING', 'COMPENSATING', 'BLOCKED')""")
        self.items = {sku: (int(on_hand), int(reserved))
                      for sku, on_hand, reserved in inventory.rows("SELECT sku, on_hand, reserved FROM inventory_items")}
        self.reservations = {row[0]: (row[1], row[2])
                             for row in inventory.rows("SELECT id, order_id, status FROM inventory_reservations")}
        self.held = lines_by(inventory.rows("SELECT reservation_id, sku, quantity FROM inventory_reservation_items"))
        self.ledger = [(sku, int(delta), int(after), order)
                       for sku, delta, after, order in
                       inventory.rows("SELECT sku, delta, on_hand_after, order_id FROM stock_movements ORDER BY position")]


def lines_by(rows):
    lines = collections.defaultdict(dict)
    for key, sku, quantity in rows:
        lines[key][sku] = int(quantity)
    return lines


def units_by_sku(stock, status):
    units = collections.Counter()
    for reservation, (_, state) in stock.reservations.items():
        if state == status:
            units.update(stock.held[reservation])
    return units


def order_faults(stock):
    reserved_for = {order: (reservation, state) for reservation, (order, state) in stock.reservations.items() if order}
    for order, status in stock.status.items():
        reservation, state = reserved_for.get(order, (None, None))
        if status == "PENDING":
            yield "an order is still PENDING", f"order {order}, reservation {state}"
        elif state not in EXPECTED[status]:
            yield "an order and its reservation disagree", f"order {order} is {status}, reservation {state}"
        elif state in ("RESERVED", "FULFILLED") and stock.held[reservation] != stock.ordered[order]:
            yield "a reservation holds other lines than its order", f"order {order}: {stock.ordered[order]}, held {stock.held[reservation]}"
        if stock.last_change.get(order) != status:
            yield "an order is not where its history ends", f"order {order} is {status}, history {stock.last_change.get(order)}"
        if order not in stock.totals or stock.totals[order][0] != stock.totals[order][1]:
            yield "an order's total is not the sum of its lines", f"order {order}: {stock.totals.get(order)}"
    for order, (_, state) in reserved_for.items():
        if order not in stock.status:
            yield "a reservation belongs to no order", f"order {order}, reservation {state}"
    for order, kind, status in stock.open_sagas:
        yield "a saga is not over", f"order {order}, {kind} {status}"


def item_faults(stock):
    reserved, shipped = units_by_sku(stock, "RESERVED"), units_by_sku(stock, "FULFILLED")
    came_in, went_out, balance = collections.Counter(), collections.Counter(), {}
    for sku, delta, after, order in stock.ledger:
        if balance.get(sku, 0) + delta != after:
            yield "the ledger does not add up", f"{sku}: {balance.get(sku, 0)} {delta:+} is not {after}"
        balance[sku] = after
        if order:
            went_out[sku] -= delta
        else:
            came_in[sku] += delta
    for sku, (on_hand, held) in stock.items.items():
        if not 0 <= held <= on_hand:
            yield "more is reserved than there is", f"{sku}: on hand {on_hand}, reserved {held}"
        if held != reserved[sku]:
            yield "reserved is not the sum of the reservations", f"{sku}: reserved {held}, reservations {reserved[sku]}"
        if on_hand != balance.get(sku, 0):
            yield "on hand is not what the ledger says", f"{sku}: on hand {on_hand}, ledger {balance.get(sku, 0)}"
        if on_hand + shipped[sku] != came_in[sku]:
            yield "on hand and shipped are not what came in", f"{sku}: {on_hand} + {shipped[sku]}, came in {came_in[sku]}"
        if went_out[sku] != shipped[sku]:
            yield "the ledger shipped other units than the orders", f"{sku}: ledger {went_out[sku]}, orders {shipped[sku]}"
    for sku in set(reserved) | set(shipped):
        if sku not in stock.items:
            yield "a reservation names an unknown SKU", sku


def check_stock(order_database, inventory_database):
    """(figures, faults): text for people; no faults means that stock adds up exactly."""
    stock = Stock(Database(order_database), Database(inventory_database))
    faults = collections.defaultdict(list)
    for generator in (order_faults, item_faults):
        for kind, evidence in generator(stock):
            faults[kind].append(evidence)
    by_status = collections.Counter(stock.status.values())
    figures = [
        f"{len(stock.status):,} orders: " + (", ".join(f"{status} {count:,}" for status, count in sorted(by_status.items())) or "none"),
        f"{len(stock.items):,} items: {sum(on_hand for on_hand, _ in stock.items.values()):,} units on hand, "
        f"{sum(reserved for _, reserved in stock.items.values()):,} reserved, "
        f"{sum(units_by_sku(stock, 'FULFILLED').values()):,} shipped",
    ]
    found = []
    for kind, evidence in faults.items():
        found.append(f"{kind}: {len(evidence):,}")
        found += [f"    {line}" for line in evidence[:EVIDENCE_MAX]]
    return figures, found


def settled(look, within):
    """look()'s figures and faults; looks again for so many seconds while there are faults: the last releases may still be on their way."""
    end = time.monotonic() + within
    figures, faults = look()
    while faults and time.monotonic() < end:
        time.sleep(0.2)
        figures, faults = look()
    return figures, faults


def main():
    parser = argparse.ArgumentParser(description="Checks stock against orders from outside.")
    parser.add_argument("--order-database", required=True, help="sqlite:FILE or postgres://...")
    parser.add_argument("--inventory-database", required=True, help="sqlite:FILE or postgres://...")
    parser.add_argument("--at-rest-within", type=float, default=0, metavar="SECONDS", help="look again so long while something is under way")
    arguments = parser.parse_args()
    figures, faults = settled(lambda: check_stock(arguments.order_database, arguments.inventory_database), arguments.at_rest_within)
    print("\n".join(figures))
    if faults:
        print("\n".join(faults))
        sys.exit(1)
    print("stock adds up exactly to the orders")


if __name__ == "__main__":
    main()
