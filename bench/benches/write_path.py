"""Orders through place_orders and reservations of one SKU through handle_order_events, on both databases, without HTTP and Kafka."""
import tempfile

from databases import psql
from machine import PROGRAMS, call, rate_of


class WritePath:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        machine.up("postgres")

    def product(self, database, what, batch, connections):
        if database == "postgres":
            psql(self.machine.postgres(), "DROP DATABASE IF EXISTS write_path WITH (FORCE)")
            psql(self.machine.postgres(), "CREATE DATABASE write_path")
            self.machine.settle()
            url = self.machine.postgres("write_path")
        else:
            url = f"sqlite:{tempfile.mkdtemp(dir=self.machine.folder)}/bench.db"
        return rate_of(call(PROGRAMS / "bench_write_path", "--database", url, "--what", what, "--batch", batch, "--seconds", self.seconds,
                            "--connections", connections))

    def sqlite(self, batch):
        return rate_of(call(PROGRAMS / "bench_floor_sqlite", f"{tempfile.mkdtemp(dir=self.machine.folder)}/floor.db", batch, self.seconds))

    def cases(self):
        cases = {}

        def add(database, what, batch, connections, **floors):
            cases[f"{database} {what}, {batch}/tx, {connections} connections"] = lambda: self.product(database, what, batch, connections)
            cases.update({name: floor for name, floor in floors.items() if name not in cases})

        add("postgres", "place", 1, 32, **{"F2, 32 clients": lambda: self.machine.pgbench("f2_order_one_statement.pgb", 32, self.seconds)})
        for batch in (8, 32, 128):
            add("postgres", "place", batch, 2, **{f"F3, {batch}/tx": lambda batch=batch: self.machine.batches("place", batch, 2, self.seconds)})
        add("postgres", "hot-sku", 256, 1, **{"F4, 32 clients": lambda: self.machine.pgbench("f4_hot_sku.pgb", 32, self.seconds),
                                              "one statement, 256/tx": lambda: self.machine.batches("hot-sku", 256, 1, self.seconds)})
        for batch in (1, 8, 32, 128):
            add("sqlite", "place", batch, 1, **{f"bare SQLite, {batch}/tx": lambda batch=batch: self.sqlite(batch)})
        add("sqlite", "hot-sku", 256, 1)
        return cases
