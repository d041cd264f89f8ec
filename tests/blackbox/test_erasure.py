"""A person is planted in every field that can hold one, erased, and searched for in all tables, topics, logs and in the cache."""
import json
import socket
import urllib.parse
import uuid

from databases import Database
from harness import order_body, wait_until
from systems import SYSTEMS, TOPICS, RunningServers, ServicesSystem, runs_on

pytestmark = runs_on(SYSTEMS)

NAMES = [*TOPICS, "ORDER_UPDATED", "CUSTOMER_ERASED"]
NOTHING = {"tables": [], "topics": [], "logs": [], "cache": []}


def cached(orders):
    """What Redis has of these orders."""
    url = urllib.parse.urlsplit(RunningServers.urls()["redis"])
    with socket.create_connection((url.hostname, url.port or 6379), timeout=10) as connection, connection.makefile("rb") as answers:
        for order in orders:
            connection.sendall(f"GET trackops:order:{order}\r\n".encode())
            size = int(answers.readline().removeprefix(b"$"))
            if size >= 0:
                yield answers.read(size + 2)


def places_of(system, marker, orders):
    """{kind of place: where the marker stands}"""
    found = {kind: [] for kind in NOTHING}
    for url in (system.order_database, system.inventory_database):
        database = Database(url)
        tables = database.tables()
        assert len(tables) > 5
        for table in tables:
            found["tables"] += [table for row in database.rows(f"SELECT * FROM {table}") if any(marker in (value or "") for value in row)]
    for event in system.topics.read(NAMES):
        if marker.encode() in event.value or marker in str(event.headers) or marker in event.key:
            found["topics"].append(event.topic)
    folder = system.cluster.folder if isinstance(system, ServicesSystem) else system.program.folder
    logs = [path for path in folder.iterdir() if path.is_file() and "log" in path.name]
    assert logs
    found["logs"] = [path.name for path in logs if marker in path.read_text(errors="replace")]
    if isinstance(system, ServicesSystem):
        found["cache"] = [value for value in cached(orders) if marker.encode() in value]
    return found


def test_an_erased_person_is_nowhere(system):
    client, marker, customer = system.client(), f"Zyx{uuid.uuid4().hex}", f"C-{uuid.uuid4().hex}"

    def send(method, path, body=None):
        return client.call(method, path, body, {"Idempotency-Key": uuid.uuid4().hex})
    send("POST", "/api/customers", {"id": customer, "name": marker, "email": f"{marker}@example.com", "phone": marker[:40],
                                    "metadata": {"note": marker}}).expect(201)
    address = {"label": marker, "recipient": marker, "line1": marker, "line2": marker, "city": marker, "region": marker, "country": "IE"}
    address = send("POST", f"/api/customers/{customer}/addresses", address).expect(201)["id"]
    send("PATCH", f"/api/customers/{customer}/addresses/{address}", {"label": f"{marker} 2"}).expect(200)
    assert client.get(f"/api/customers?email={marker}@EXAMPLE.com&name={marker[3:]}").expect(200)["items"]
    sku = system.shop.new_sku(10)
    personal = {"customerId": customer, "deliveryInstructions": marker, "metadata": {"gift": marker}}
    by_id = order_body((sku, 1)) | personal | {"shippingAddressId": address}
    del by_id["shippingAddress"]
    delivered = send("POST", "/api/orders", by_id).expect(201)["id"]
    assert marker in json.dumps(system.shop.becomes(delivered, "CONFIRMED")["shippingAddress"])
    in_full = order_body((sku, 1)) | personal
    in_full["shippingAddress"] = in_full["shippingAddress"] | {"recipient": marker}
    cancelled = system.shop.becomes(send("POST", "/api/orders", in_full).expect(201)["id"], "CONFIRMED")["id"]
    send("POST", f"/api/customers/{customer}/erase").problem(409, "conflict")
    for action in ("process", "ship", "deliver"):
        send("POST", f"/api/orders/{delivered}/{action}").expect(200)
    send("POST", f"/api/orders/{cancelled}/cancel").expect(200)
    for order in (delivered, cancelled):  # now in the cache, wherever that is
        assert marker in client.get(f"/api/orders/{order}").body.decode()
    before = places_of(system, marker, (delivered, cancelled))
    assert {"customers", "addresses", "orders", "idempotency_keys"} <= {table.split(".")[-1] for table in before["tables"]}
    assert before["topics"] == before["logs"] == [], "events and logs never hold a person"
    exported = client.get(f"/api/customers/{customer}/export").expect(200)["items"]
    assert sorted(name for item in exported for name in item) == ["address", "customer", "order", "order"]

    erased = send("POST", f"/api/customers/{customer}/erase").expect(200)
    assert erased == {"dryRun": False, "orders": 2, "addresses": 1}
    assert places_of(system, marker, (delivered, cancelled)) == NOTHING
    for order in (delivered, cancelled):
        answer = client.get(f"/api/orders/{order}").expect(200)
        assert answer["totalAmount"] == 250 and answer["customerId"] == customer and marker not in json.dumps(answer)
    told = wait_until(lambda: [event for event in system.topics.read(["CUSTOMER_ERASED"]) if customer.encode() in event.value],
                      what="CUSTOMER_ERASED")
    assert [json.loads(event.value) for event in told] == [{"customerId": customer}]
    assert marker not in json.dumps(client.get(f"/api/customers/{customer}/export").expect(200))
