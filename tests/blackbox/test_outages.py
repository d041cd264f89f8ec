"""Answers while a database is away, and state that survives a restart."""
import uuid

import pytest

from databases import psql
from harness import Shop, order_body, wait_until
from programs import DATABASES

ID = "0190aaaa-0000-7000-8000-000000000000"
ORDER, ITEM = f"/api/orders/{ID}", "/api/inventory/items/OUT-1"
# Every call that asks a database: service, method, path, body.
CALLS = [
    ("order", "POST", "/api/orders", order_body(("OUT-1", 1))), ("order", "GET", "/api/orders", None), ("order", "GET", ORDER, None),
    ("order", "GET", f"{ORDER}/status", None), ("order", "GET", f"{ORDER}/timeline", None), ("order", "DELETE", ORDER, None),
    ("order", "PUT", f"{ORDER}/status", {"status": "PROCESSING"}),
    *(("order", "POST", f"{ORDER}/{action}", None) for action in ("process", "ship", "deliver", "cancel")),
    ("order", "GET", "/api/sagas", None), ("order", "GET", f"/api/sagas/{ID}", None),
    ("inventory", "POST", "/api/inventory/items", {"sku": "OUT-2", "name": "A thing"}), ("inventory", "GET", "/api/inventory/items", None),
    ("inventory", "GET", ITEM, None), ("inventory", "PATCH", ITEM, {"name": "Another"}), ("inventory", "DELETE", ITEM, None),
    ("inventory", "POST", f"{ITEM}/adjustments", {"delta": 1, "reason": "FOUND"}), ("inventory", "GET", f"{ITEM}/movements", None),
    ("inventory", "GET", "/api/inventory/availability?sku=OUT-1", None), ("inventory", "GET", "/api/inventory/reservations", None),
    ("inventory", "GET", f"/api/inventory/reservations/{ID}", None),
    ("relay", "GET", "/api/relay/status", None), ("relay", "GET", "/api/relay/events", None),
]


class Databases:
    """Both databases of a program on PostgreSQL, which can refuse connections."""

    def __init__(self, program):
        self.urls = [program.order_database, program.inventory_database]
        self.server = program.order_database.rsplit("/", 1)[0] + "/postgres"

    def let_in(self, is_open):
        for url in self.urls:
            name = url.rsplit("/", 1)[1]
            psql(self.server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS {is_open}")
            if not is_open:
                psql(self.server, f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")


@pytest.mark.parametrize("own_program", ["postgres"], indirect=True)
def test_each_call_says_so_when_its_database_is_away(own_program):
    shop = Shop(own_program.start())
    databases = Databases(own_program)
    databases.let_in(False)
    try:
        for service, method, path, body in CALLS:
            answer = own_program.client(service).call(method, path, body, {"Idempotency-Key": uuid.uuid4().hex})
            problem = answer.problem(503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1, (method, path)
            assert "e2e_" not in answer.body.decode() and problem["instance"] == path.split("?")[0]
        for service in ("order", "inventory", "relay"):
            client = own_program.client(service)
            # Each component is looked at in its own turn, and another one may notice first.
            wait_until(lambda client=client: client.get("/actuator/health").json()["components"]["db"]["status"] == "DOWN",
                       what="health knowing that the database is away")
            health = client.get("/actuator/health")
            assert (health.status, health.json()["status"]) == (503, "DOWN")
            assert client.get("/actuator/health/readiness").status == 503
            assert client.get("/actuator/health/liveness").expect(200) == {"status": "UP"}
    finally:
        databases.let_in(True)
    order = wait_until(lambda: (lambda answer: answer.json() if answer.status == 201 else None)(
        shop.orders.post("/api/orders", order_body(("OUT-1", 1)))), what="an order being taken again")
    shop.becomes(order["id"], "CANCELLED")


@pytest.mark.parametrize("own_program", DATABASES, indirect=True)
def test_a_restart_forgets_nothing(own_program):
    shop, key = Shop(own_program.start()), {"Idempotency-Key": uuid.uuid4().hex}
    sku = shop.new_sku(10)
    body = order_body((sku, 1))
    first = shop.orders.post("/api/orders", body, key)
    order = shop.becomes(first.expect(201)["id"], "CONFIRMED")
    item = shop.inventory.get(f"/api/inventory/items/{sku}")
    own_program.kill()
    shop = Shop(own_program.start())
    again = shop.orders.post("/api/orders", body, key)
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (201, first.body, "true")
    found = shop.orders.get(f"/api/orders/{order['id']}")
    assert (found.json(), found.headers["etag"]) == (order, '"2"')
    assert shop.inventory.get(f"/api/inventory/items/{sku}").body == item.body
    assert len(shop.everything(f"/api/orders?customerId={body['customerId']}")) == 1


@pytest.mark.parametrize("own_program", ["sqlite"], indirect=True)
def test_a_wait_ends_in_time_when_inventory_is_away(own_program):
    client, key = Shop(own_program.start("--no-inventory")).orders, {"Idempotency-Key": uuid.uuid4().hex, "Prefer": "wait=1"}
    body = order_body(("OUT-1", 1))
    first, again = (client.post("/api/orders", body, key) for _ in range(2))
    order = first.expect(201)
    assert (order["status"], order["version"], first.headers["etag"], first.headers["location"]) == ("PENDING", 1, '"1"', f"/api/orders/{order['id']}")
    assert (again.status, again.body, again.headers["etag"], again.headers["idempotency-replayed"]) == (201, first.body, '"1"', "true")
    assert client.get(f"/api/orders/{order['id']}").expect(200) == order
