"""Orders over HTTP into PostgreSQL, every guarantee on: validation, idempotency keys, sagas, outbox, metrics, Kafka and Redis joined."""
from machine import Wrong, cpu_seconds

WARM_UP = 1  # seconds

# The rows that the tables must hold for each order that was answered with 201.
PER_ORDER = {"history": ("SELECT count(*) FROM order_history", 1),
             "sagas": ("SELECT count(*) FROM saga_instances", 1),
             "saga steps": ("SELECT count(*) FROM saga_steps", 2),
             "idempotency keys": ("SELECT count(*) FROM idempotency_keys", 1),
             "events": ("SELECT count(*) FROM outbox_events WHERE type = 'ORDER_CREATED'", 1),
             "orders with an event": ("SELECT count(*) FROM (SELECT id FROM orders INTERSECT SELECT aggregate_id FROM outbox_events) AS both_sides", 1),
             "orders that are the sum of their lines": ("""SELECT count(*) FROM orders o WHERE total_amount = (
                  SELECT sum(quantity * unit_amount) FROM order_items WHERE order_id = o.id)""", 1)}


def number(rows):
    return int(rows[0][0])


def check_orders(system, answered, cut_off):
    """Rows are 201s; a load that ends cuts off at most so many requests, whose orders may be there as well. The orders.

    In one snapshot: what was cut off may still be committed meanwhile."""
    queries = ["SELECT count(*) FROM orders", *(query for query, _ in PER_ORDER.values())]
    orders, *counted = map(int, system.orders("SELECT " + ", ".join(f"({query})" for query in queries))[0])
    if not answered <= orders <= answered + cut_off:
        raise Wrong(f"{answered} orders were answered with 201, {orders} are there")
    for (what, (_, per_order)), found in zip(PER_ORDER.items(), counted, strict=True):
        if found != orders * per_order:
            raise Wrong(f"{what}: {found} of {orders} orders")
    return orders


def placed(system, machine, clients, seconds):
    """Warmed up, measured, checked; with what an order costs the service and its database."""
    warm = system.place(clients, WARM_UP)
    spenders = [system.of("order").process.pid, machine.pid("postgres")]
    before = [cpu_seconds(pid) for pid in spenders]
    figures = system.place(clients, seconds)
    spent = [cpu_seconds(pid) - was for pid, was in zip(spenders, before)]
    figures["service_us"], figures["postgres_us"] = (each * 1e6 / figures["done"] for each in spent)
    figures["cpu_us"] = figures["service_us"] + figures["postgres_us"]
    check_orders(system, warm["done"] + figures["done"], 2 * clients)
    return figures


class Place:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        machine.up()

    def product(self, clients, *others):
        system = self.machine.system("order", *others)
        try:
            return placed(system, self.machine, clients, self.seconds)
        finally:
            system.end()

    def floor(self, script, clients):
        return self.machine.pgbench(script, clients, self.seconds)

    def cases(self):
        one_statement = "f2_order_one_statement.pgb"
        return {"product, 256 clients": lambda: self.product(256),
                "F2, 32 clients": lambda: self.floor(one_statement, 32),
                "F1, 32 clients": lambda: self.floor("f1_order_statements.pgb", 32),
                "product, 1 client": lambda: self.product(1),
                "F2, 1 client": lambda: self.floor(one_statement, 1),
                "product, 64 clients": lambda: self.product(64)}
