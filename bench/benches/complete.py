"""Orders from POST to CONFIRMED: order service, relay, Kafka, inventory, and back; and the same in one process on embedded stores."""
import contextlib
import json
import random
import sys
import time

from benches.embedded import Embedded
from benches.place import WARM_UP, number
from machine import PROGRAMS, Wrong, call

RATE = 200  # orders a second of the open loop
CONNECTIONS = 64
PATIENCE = 180


def bodies(count=1000):
    """Orders as place.lua makes them."""
    chance = random.Random(1)
    for _ in range(count):
        first = chance.randrange(1000)
        lines = [{"sku": f"SKU-{(first + 37 * i) % 1000}", "quantity": chance.randint(1, 3), "unitAmount": chance.randint(99, 19999)}
                 for i in range(chance.randint(1, 3))]
        yield json.dumps({"customerId": f"0190a6de-1f3b-7c55-9f4e-{chance.randrange(100_000):012x}", "currency": "GBP", "items": lines,
                          "shippingAddress": {"recipient": "Ada Lovelace", "line1": "12 St James Square", "city": "London", "postalCode": "SW1Y 4JH",
                                              "country": "GB"}}) + "\n"


def open_loop(port, seconds):
    """From when each order was due to the answer that says CONFIRMED."""
    for length in (2, seconds):  # the first warms up
        line = call(PROGRAMS / "bench_open_loop", port, "/api/orders?wait=confirmed", RATE, length, CONNECTIONS, input="".join(bodies()))
    figures = json.loads(line)
    return {name: figures[name] for name in ("p50_ms", "p99_ms", "max_ms", "done")}


def by_the_clock(rows):
    """{"clock_p50_ms", "clock_p99_ms"}: from an order's creation to its confirmation, as the order service has written them."""
    taken = sorted(float(row[0]) for row in rows)
    return {"clock_p50_ms": taken[len(taken) // 2], "clock_p99_ms": taken[len(taken) * 99 // 100]}


def at_rest(system, answered, cut_off):
    """Every order that was answered is CONFIRMED, and nothing is lost, doubled, oversold or out of order. How many there are, and when
    the last one was confirmed by the service's clock."""
    until = time.monotonic() + PATIENCE
    while number(system.orders("SELECT count(*) FROM orders WHERE status = 'PENDING'")):
        if time.monotonic() > until:
            raise Wrong("orders stay PENDING")
        time.sleep(0.1)
    orders, confirmed, ended = system.orders("""SELECT count(*), count(*) FILTER (WHERE status = 'CONFIRMED'),
        extract(epoch FROM max(updated_at)) FROM orders""")[0]
    if int(orders) != int(confirmed) or not answered <= int(orders) <= answered + cut_off:
        raise Wrong(f"{answered} orders were answered with 201, {orders} are there, {confirmed} are CONFIRMED")
    with contextlib.redirect_stdout(sys.stderr):
        system.check(within=PATIENCE)
    return int(orders), float(ended)


class Complete:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        machine.up()

    def system(self, source="poll"):
        system = self.machine.system("order", "inventory", "relay", relay={"SOURCE": source})
        system.stock()
        self.machine.settle()
        return system

    def burst(self, source):
        """As many orders as are taken in the time, and then until the last one is CONFIRMED: all of it counts."""
        system = self.system(source)
        try:
            before, _ = at_rest(system, system.place(64, WARM_UP)["done"], 64)
            self.machine.settle()
            begun = time.time()
            figures = system.place(256, self.seconds)
            orders, ended = at_rest(system, before + figures["done"], 256)
            return {"per_s": (orders - before) / (ended - begun), "orders": orders - before, "accepted_per_s": figures["per_s"]}
        finally:
            system.end()

    def closed_loop(self, clients):
        """Each client waits until its own order is CONFIRMED."""
        system = self.system()
        try:
            figures = system.place(clients, self.seconds, "/api/orders?wait=confirmed")
            at_rest(system, figures["done"], clients)
            return figures
        finally:
            system.end()

    def open_loop(self, source):
        system = self.system(source)
        try:
            figures = open_loop(system.of("order").port, self.seconds)
            at_rest(system, figures["done"] + 2 * RATE, 0)
            return figures | by_the_clock(system.orders("SELECT 1000 * extract(epoch FROM updated_at - created_at) FROM orders"))
        finally:
            system.end()

    def embedded(self):
        with Embedded(self.machine.folder) as shop:
            shop.stock()
            figures = open_loop(shop.ports["order"], self.seconds)
            shop.check(figures["done"] + 2 * RATE, 0)
            return figures

    def cases(self):
        return {"product, POST then rest": lambda: self.burst("poll"),
                "product, POST then rest, source wal": lambda: self.burst("wal"),
                "F2, 32 clients": lambda: self.machine.pgbench("f2_order_one_statement.pgb", 32, self.seconds),
                "product, 256 clients that wait": lambda: self.closed_loop(256),
                "product, 64 clients that wait": lambda: self.closed_loop(64),
                "product, 200 orders/s": lambda: self.open_loop("poll"),
                "product, 200 orders/s, source wal": lambda: self.open_loop("wal"),
                "embedded, 200 orders/s": self.embedded}
