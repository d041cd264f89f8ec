"""Whether a database that has grown is as fast as a young one, and whether a large backlog leaves as fast at its end as at its start."""
from benches.place import WARM_UP, number
from benches.relay import Growth, drained, rate_between, relay_is_active
from machine import LOAD, Wrong, call

CLIENTS = 256


def run_file(url, script, **variables):
    sets = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    call("psql", "-Xq", "-v", "ON_ERROR_STOP=1", *sets, "-f", LOAD / script, url)


class Scale:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        self.large = 100_000 if options.quick else 1_000_000
        self.sizes = [10_000, self.large] + ([5_000_000] if options.large else [])
        machine.up()

    def place(self, orders):
        system = self.machine.system("order")
        try:
            run_file(system.order_database, "orders.sql", orders=orders)
            self.machine.settle()
            warm = system.place(CLIENTS, WARM_UP)
            figures = system.place(CLIENTS, self.seconds)
            placed = number(system.orders("SELECT count(*) FROM orders")) - orders
            if not 0 <= placed - warm["done"] - figures["done"] <= 2 * CLIENTS:
                raise Wrong(f"{warm['done'] + figures['done']} orders were answered with 201, {placed} came")
            return figures
        finally:
            system.end()

    def drain(self):
        system = self.machine.system("order", "relay")
        try:
            relay_is_active(system)
            system.of("relay").stop()
            run_file(system.order_database, "outbox.sql", events=self.large)
            self.machine.settle()
            system.of("relay").start()
            curve = drained(system, self.large)
            if system.metric("relay", "trackops_relay_published_total") < self.large:
                raise Wrong("the topic holds more than the relay says that it published")
            with Growth(system.bus, "ORDER_CREATED") as topic:
                doubles = topic.messages() - self.large
            return {"per_s": rate_between(curve, 0, 1), "first_tenth_per_s": rate_between(curve, 0, 0.1),
                    "last_tenth_per_s": rate_between(curve, 0.9, 1), "doubles": doubles}
        finally:
            system.end()

    def cases(self):
        return {f"{orders:,} orders": lambda orders=orders: self.place(orders) for orders in self.sizes} | {"drain": self.drain}
