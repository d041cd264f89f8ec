"""Many clients, one SKU, not enough of it."""
import collections
import uuid

from harness import Shop, in_parallel, order_body, wait_until

CLIENTS = 64
ORDERS_EACH = 20
UNITS = 1000


def place(client, sku):
    """The order's id; asked again while a disk takes its time."""
    body, key = order_body((sku, 1)), {"Idempotency-Key": str(uuid.uuid4())}

    def answer():
        given = client.post("/api/orders", body, key)
        return None if given.status == 503 else given
    return wait_until(answer, 60, "an answer").expect(201)["id"]


def test_exactly_what_is_there_is_sold(program, stock_adds_up):
    shop = Shop(program.start())
    sku = shop.new_sku(UNITS)

    def buy(_):
        client = program.client()
        return [place(client, sku) for _ in range(ORDERS_EACH)]
    ids = [order for bought in in_parallel(CLIENTS, buy) for order in bought]
    assert len(set(ids)) == CLIENTS * ORDERS_EACH

    shop.comes_to_rest()
    orders = shop.everything("/api/orders?limit=500")
    assert {order["id"] for order in orders} == set(ids)
    outcomes = collections.Counter((order["status"], order.get("cancelReason")) for order in orders)
    assert outcomes == {("CONFIRMED", None): UNITS, ("CANCELLED", "OUT_OF_STOCK"): CLIENTS * ORDERS_EACH - UNITS}
    assert shop.stock(sku) == (UNITS, UNITS, 0)
    stock_adds_up(program)
