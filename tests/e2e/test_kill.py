"""kill -9 at random moments under load, several times on the same folder: what was answered is there, and stock adds up."""
import os
import random
import threading
import time

from harness import NO_ANSWER, Shop, in_parallel, order_body, wait_until

ROUNDS = 5
CLIENTS = 16
PLENTY, SCARCE = 1_000_000, 400


class Shopper:
    """Places orders and moves them on until the program is gone; remembers what it was promised."""

    def __init__(self, seed, skus):
        self.chance = random.Random(seed)
        self.skus = skus
        self.promised = {}  # order id -> the last order body that was answered

    def shop(self, program):
        client = program.client()
        try:
            while True:
                self.do_something(client)
        except NO_ANSWER:
            return  # the program is gone: what was under way was promised to nobody

    def do_something(self, client):
        known = list(self.promised)[-50:]
        if known and self.chance.random() < 0.4:
            order = self.chance.choice(known)
            answer = client.post(f"/api/orders/{order}/{self.chance.choice(['process', 'ship', 'deliver', 'cancel'])}")
            assert answer.status in (200, 409, 503), answer.body  # 409: not there yet, or beyond it; 503: the disk took its time
        else:
            lines = [(self.chance.choice(self.skus), self.chance.randint(1, 3)) for _ in range(self.chance.randint(1, 3))]
            answer = client.post("/api/orders", order_body(*lines))
            assert answer.status in (201, 503), answer.body
        if answer.status < 300:
            order = answer.json()
            self.promised[order["id"]] = order


def test_nothing_that_was_answered_is_lost(program, stock_adds_up):
    seed = int(os.environ.get("TRACKOPS_SEED") or time.time_ns() % 1_000_000)
    print(f"TRACKOPS_SEED={seed}")
    chance = random.Random(seed)
    shop = Shop(program.start())
    stock = {shop.new_sku(PLENTY): PLENTY, shop.new_sku(PLENTY): PLENTY, shop.new_sku(SCARCE): SCARCE}
    shoppers = [Shopper(seed * 100 + number, list(stock)) for number in range(CLIENTS)]

    for round_number in range(ROUNDS):
        killer = threading.Timer(chance.uniform(0.2, 1.5), kill_under_load, (program, shoppers, (round_number + 1) * CLIENTS))
        killer.start()
        in_parallel(CLIENTS, lambda number: shoppers[number].shop(program))
        killer.join()
        shop = Shop(program.start())
        promised = {order: body for shopper in shoppers for order, body in shopper.promised.items()}
        print(f"round {round_number + 1}: {len(promised)} orders promised so far, ready again after {program.ready_after:.2f} s")
        assert_kept(shop, promised)

    assert len(promised) > ROUNDS * CLIENTS  # it was load
    shop.comes_to_rest()
    assert_kept(shop, promised)
    stock_adds_up(program)
    assert program.stop() == 0


def kill_under_load(program, shoppers, more_than):
    """Once so many orders were promised: a disk may be slow."""
    try:
        wait_until(lambda: sum(len(shopper.promised) for shopper in shoppers) > more_than, 60)
    finally:
        program.kill()


def assert_kept(shop, promised):
    """Each order is there with its lines, at least as far as it was answered."""
    found = {order["id"]: order for order in shop.everything("/api/orders?limit=500")}
    missing = promised.keys() - found.keys()
    assert not missing, f"{len(missing)} orders that were answered with 201 are gone: {sorted(missing)[:5]}"
    for order, body in promised.items():
        assert found[order]["items"] == body["items"]
        assert found[order]["version"] >= body["version"], (body, found[order])
        if found[order]["version"] == body["version"]:
            assert found[order]["status"] == body["status"]
