"""`trackops dev`: the three services in one process on SQLite and its own log, beside bare SQLite."""
import datetime
import json
import pathlib
import tempfile
import time

from check_stock import check_stock
from databases import Database
from harness import Program
from machine import PROGRAMS, Wrong, call, rate_of, wrk

PATIENCE = 180


class Embedded(Program):
    """The tests' program on a folder of its own."""

    def __init__(self, folder):
        folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
        super().__init__(folder, f"sqlite:{folder}/orders.db", f"sqlite:{folder}/inventory.db")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.end()

    def url(self, kind):
        return f"http://127.0.0.1:{self.ports[kind]}"

    def stock(self):
        lines = "".join(json.dumps({"sku": f"SKU-{i}", "name": f"Thing {i}", "onHand": 100_000_000}) + "\n" for i in range(1000))
        call(PROGRAMS / "trackops", "load", "-", "--items", "--inventory-url", self.url("inventory"), input=lines)

    def place(self, clients, seconds):
        return wrk(self.url("order") + "/api/orders", clients, seconds, "place.lua", time.time_ns() % 2**31)

    def check(self, answered, cut_off):
        """Orders per second from the first created to the last CONFIRMED; at rest, and stock adds up exactly to the orders."""
        until = time.monotonic() + PATIENCE
        while (faults := check_stock(self.order_database, self.inventory_database)[1]) and time.monotonic() < until:
            time.sleep(0.5)
        if faults:
            raise Wrong("\n".join(faults))
        orders, confirmed, begun, ended = Database(self.order_database).rows("""SELECT count(*), sum(status = 'CONFIRMED'), min(created_at),
                                                                                        max(updated_at) FROM orders""")[0]
        if orders != confirmed or not answered <= int(orders) <= answered + cut_off:
            raise Wrong(f"{answered} orders were answered with 201, {orders} are there, {confirmed} are CONFIRMED")
        return int(orders) / (datetime.datetime.fromisoformat(ended) - datetime.datetime.fromisoformat(begun)).total_seconds()


class EmbeddedBench:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds

    def product(self, clients):
        with Embedded(self.machine.folder) as shop:
            shop.stock()
            figures = shop.place(clients, self.seconds)
            return figures | {"completed_per_s": shop.check(figures["done"], clients)}

    def start_to_ready(self):
        with Embedded(self.machine.folder) as shop:
            first = shop.ready_after
            shop.stop()
            return {"empty_s": first, "again_s": shop.start().ready_after}

    def sqlite(self, batch):
        return rate_of(call(PROGRAMS / "bench_floor_sqlite", f"{tempfile.mkdtemp(dir=self.machine.folder)}/floor.db", batch, self.seconds))

    def cases(self):
        return {"product, 256 clients": lambda: self.product(256),
                "bare SQLite, 128/tx": lambda: self.sqlite(128),
                "product, 1 client": lambda: self.product(1),
                "bare SQLite, 1/tx": lambda: self.sqlite(1),
                "product, start to ready": self.start_to_ready}
