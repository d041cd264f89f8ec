"""Requests made of the contract's examples, and the orders, items and events that they are about."""
import contextlib
import sqlite3
import uuid

from conformance import FILES, contract_of
from harness import order_body, wait_until

STATUS_BEFORE = {"process": "CONFIRMED", "ship": "PROCESSING", "deliver": "SHIPPED", "cancel": "CONFIRMED"}
STEPS = {"CONFIRMED": [], "PROCESSING": ["process"], "SHIPPED": ["process", "ship"]}

OPERATIONS = [(service, operation["operationId"]) for service in FILES for _, _, _, operation in contract_of(service).operations]

OF_SESSIONS = {"logIn", "listSessions", "endSessions", "getSession", "endSession"}  # test_contract_sessions.py has a program with an access file
OPERATIONS_OF_DEV = [row for row in OPERATIONS if row[1] not in OF_SESSIONS]


class World:
    """Makes what the examples are about. Every request goes to a thing of its own."""

    def __init__(self, system):
        self.system, self.shop = system, system.shop
        self.orders, self.stock = system.client("order"), system.client("inventory")
        for sku in ("85123A", "71053"):  # those of the examples
            self.stock.post("/api/inventory/items", {"sku": sku, "name": "A thing", "onHand": 1000}).expect(201)
        self.parked = self.park()

    def order(self, status="CONFIRMED"):
        order = self.shop.place_confirmed(("85123A", 1))["id"]
        for step in STEPS[status]:
            self.shop.change(order, step).expect(200)
        return order

    def cancelled(self):
        order = self.order()
        self.shop.change(order, "cancel").expect(200)
        return order

    def item(self, on_hand=50):
        return self.shop.new_sku(on_hand)

    def customer(self, addresses=0):
        customer = self.orders.post("/api/customers", {"name": "Ada Lovelace"}).expect(201)["id"]
        for _ in range(addresses):
            self.address(customer)
        return customer

    def customer_with_order(self):
        customer = self.customer()
        order = order_body(("85123A", 1)) | {"customerId": customer}
        self.orders.post("/api/orders", order, {"Idempotency-Key": uuid.uuid4().hex}).expect(201)
        return customer

    def address(self, customer):
        address = {"line1": "1 High St", "city": "London", "postalCode": "N1 9GU", "country": "GB"}
        return self.orders.post(f"/api/customers/{customer}/addresses", address).expect(201)["id"]

    def reserved_item(self):
        sku = self.item(10)
        self.shop.place_confirmed((sku, 5))
        return sku

    def park(self):
        """{service: the id of an event that is parked}. No event of ours is too large for the embedded log: SQL makes two so, and then as they were."""
        parked = {}
        for service, topic, database in (("relay", "ORDER_CREATED", self.system.program.order_database),
                                         ("inventory", "INVENTORY_RESERVED", self.system.program.inventory_database)):
            relay = self.system.client(service)
            relay.post("/api/relay/pause").expect(200)
            order = self.shop.place(("85123A", 1))["id"]

            def waiting():
                listed = relay.get("/api/relay/events?state=unpublished").expect(200)["items"]
                return [event for event in listed if event["key"] == order and event["type"] == topic]
            event = wait_until(waiting, what=f"{topic} in the outbox")[0]
            with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:"), timeout=10)) as connection, connection:
                payload, = connection.execute("SELECT payload FROM outbox_events WHERE position = ?", (event["position"],)).fetchone()
                connection.execute("UPDATE outbox_events SET payload = ? WHERE position = ?", (payload[:-1] + " " * 17_000_000 + "}", event["position"]))
            relay.post("/api/relay/resume").expect(200)
            wait_until(lambda relay=relay: relay.get("/api/relay/events?state=parked").expect(200)["items"], what="a parked event")
            with contextlib.closing(sqlite3.connect(database.removeprefix("sqlite:"), timeout=10)) as connection, connection:
                for table in ("outbox_events", "relay_parked_events"):
                    connection.execute(f"UPDATE {table} SET payload = ? WHERE position = ?", (payload, event["position"]))
            parked[service] = event["id"]
        return parked


class Call:
    """A request that an operation answers with success: its path, query, headers and body can be changed on the way to a refusal."""

    def __init__(self, world, service, operation_id, example=None):
        self.world, self.service, self.contract = world, service, contract_of(service)
        self.method, self.path, self.item, self.operation = next(row for row in self.contract.operations if row[3]["operationId"] == operation_id)
        self.parameters = self.contract.parameters(self.item, self.operation)
        self.example, self.headers, self.query = example, {}, ""
        self.body = self.examples()[example] if example else None
        if self.operation["x-idempotency"] == "required":
            self.headers["Idempotency-Key"] = uuid.uuid4().hex
        self.names = {}

    def bodies(self):
        return self.operation.get("requestBody", {}).get("content", {})

    def examples(self):
        return {name: example["value"] for content in self.bodies().values() for name, example in content["examples"].items()}

    def fill(self):
        """The parts of the path, made for this request."""
        world, name = self.world, self.operation["operationId"]
        if self.path.startswith("/api/orders/{id}"):
            action = self.path.rsplit("/", 1)[1]
            wanted = STATUS_BEFORE.get(self.example if action == "status" else action, "CONFIRMED")
            self.names = {"id": world.order(wanted)}
        elif self.path.startswith("/api/customers/{id}"):
            self.names = {"id": world.customer()}
            if "{addressId}" in self.path:
                self.names["addressId"] = world.address(self.names["id"])
        elif "{sku}" in self.path:
            self.names = {"sku": world.item()}
        elif name == "getSaga":
            self.names = {"id": next(iter(world.shop.sagas(world.order()).values()))["id"]}
        elif name == "getReservation":
            self.names = {"id": world.shop.reservations(world.order())[0]["id"]}
        elif name == "retryRelayEvent":
            self.names = {"id": world.parked[self.service]}
        else:  # the example itself
            self.names = {one["name"]: one["example"] for one in self.parameters if one["in"] == "path"}
        if name == "createItem":
            self.body = self.body | {"sku": f"N-{uuid.uuid4().hex[:12]}"}
        if name == "createCustomer" and "id" in self.body:
            self.body = self.body | {"id": f"C-{uuid.uuid4().hex[:12]}"}
        return self

    def send(self):
        """The bodies of examples go as they are; a body of bytes or text has the type of the operation."""
        body = self.body.encode() if isinstance(self.body, str) else self.body
        headers = dict(self.headers)
        if body is not None and "Content-Type" not in headers:
            headers["Content-Type"] = next(iter(self.bodies()), "application/json")
        required = [f"{one['name']}={value}" for one in self.parameters if one["in"] == "query" and one.get("required") for value in one["example"]]
        query = "&".join([*required, *([self.query] if self.query else [])])
        return self.world.system.client(self.service).call(self.method, self.path.format(**self.names) + (f"?{query}" if query else ""), body, headers)


def make(world, service, operation_id):
    """A call with the first example, ready to be sent or spoiled."""
    first = next(iter(Call(world, service, operation_id).examples()), None)
    return Call(world, service, operation_id, first).fill()
