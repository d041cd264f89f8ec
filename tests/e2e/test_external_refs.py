"""A shop that gives each external reference once."""
import uuid

from harness import all_at_once, order_body

CLIENTS = 16


def test_of_simultaneous_orders_with_one_reference_one_is_placed(program):
    program.start("--external-ref-unique")
    body = order_body(("NO-SUCH-SKU", 1), externalRef="WEB-1")
    answers = all_at_once(CLIENTS, program.client, lambda client: client.post("/api/orders", body, {"Idempotency-Key": uuid.uuid4().hex}))
    assert sorted(answer.status for answer in answers) == [201] + [409] * (CLIENTS - 1)
    first = next(answer.json() for answer in answers if answer.status == 201)
    for answer in answers:
        if answer.status == 409:
            assert first["id"] in answer.problem(409, "conflict")["detail"]

    orders = program.client()
    found = orders.get("/api/orders?externalRef=WEB-1").expect(200)["items"]
    assert [order["id"] for order in found] == [first["id"]]
    another = orders.post("/api/orders", body | {"externalRef": "WEB-2"}).expect(201)
    assert first["id"] in orders.call("PATCH", f"/api/orders/{another['id']}", {"externalRef": "WEB-1"}).problem(409, "conflict")["detail"]
    orders.post("/api/orders", body | {"customerId": "another"}).expect(201)
