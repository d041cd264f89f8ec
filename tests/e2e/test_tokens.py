"""Tokens of an identity provider, which this file makes itself: who is let in, and what a customer sees of the orders."""
import json
import time
import uuid

import pytest

from access_file import AccessFile, bearer
from harness import order_body, wait_until
from identity_provider import ISSUER, Provider
from programs import make_program

MINE, YOURS = "0190aaaa-0000-7000-8000-000000000001", "0190aaaa-0000-7000-8000-000000000002"


@pytest.fixture(scope="module")
def provider():
    return Provider()


@pytest.fixture(scope="module")
def keys(provider, tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps(provider.key_set()))
    return path


@pytest.fixture(scope="module")
def file(keys, tmp_path_factory):
    file = AccessFile(tmp_path_factory.mktemp("access") / "access.json")
    file.add_key("clerk", "--role", "clerk")
    content = json.loads(file.path.read_text())
    content["providers"] = [{"name": "shop", "issuer": ISSUER, "audience": "trackops", "keySetFile": str(keys), "scopes": ["orders:read", "orders:write", "orders:own"]}]
    file.path.write_text(json.dumps(content))
    return file


@pytest.fixture(scope="module")
def clerk(file):
    return bearer(file.add_key("second", "--role", "clerk"))  # which keeps the providers


@pytest.fixture(scope="module")
def program(file, clerk, tmp_path_factory):
    assert json.loads(file.path.read_text())["providers"][0]["issuer"] == ISSUER
    its, undo = make_program("sqlite", tmp_path_factory.mktemp("sqlite"))
    yield its.start("--access-file", str(file.path))
    its.end()
    undo()


def order_of(customer):
    return order_body(("T-any", 1)) | {"customerId": customer}


def test_a_token_opens_all_services_with_its_scopes(program, provider):
    for algorithm in ("RS256", "ES256"):
        token = bearer(provider.token(algorithm))
        assert program.client().get("/api/orders", token).status == 200
        assert program.client().post("/api/orders", order_of(MINE), token).problem(403, "forbidden")["detail"] == "this needs the scope orders:write"
        assert program.client("inventory").get("/api/inventory/items", token).status == 403
        assert program.client("relay").get("/api/relay/status", token).status == 403
    more = bearer(provider.token(scope="orders:read orders:write admin operate"))
    order = program.client().post("/api/orders", order_of(MINE), more).expect(201)
    assert "token:shop/u-17" in program.client().get(f"/api/orders/{order['id']}/timeline", more).body.decode()
    assert program.client("relay").post("/api/relay/pause", None, more).status == 403, "more than its provider may give"


FORGED = {
    "no algorithm": lambda its: its.token("none"), "no signature": lambda its: its.token().rsplit(".", 1)[0] + ".",
    "the public key as a secret": lambda its: its.token("HS256"), "the secret under the key's name": lambda its: its.token("RS256", sign_as="HS256"),
    "another key": lambda its: Provider().token(), "the algorithm of another key": lambda its: its.token("ES256", kid="r1"),
    "an unknown key": lambda its: its.token(kid="x"), "another issuer": lambda its: its.token(iss="https://evil.example"),
    "another audience": lambda its: its.token(aud="billing"), "no audience": lambda its: its.token(aud=None), "expired": lambda its: its.token(exp=int(time.time()) - 31),
    "without an end": lambda its: its.token(exp=None), "not yet": lambda its: its.token(nbf=int(time.time()) + 60), "without a subject": lambda its: its.token(sub=None),
    "a subject with a line": lambda its: its.token(sub='x\n{"level":"error"}'), "a customer without an id": lambda its: its.token(scope="orders:own"),
    "a longer body": lambda its: its.token(pad="x" * 9000), "cut": lambda its: its.token()[:-10], "changed": lambda its: its.token().replace(".eyJ", ".eyK", 1),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_opens_nothing(program, provider, kind):
    token = FORGED[kind](provider)
    for service, path in (("order", "/api/orders"), ("inventory", "/api/inventory/items"), ("relay", "/api/relay/status")):
        answer = program.client(service).get(path, bearer(token))
        answer.problem(401, "unauthorized")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    log = (program.folder / f"log.{program.starts}").read_text()
    assert token.rsplit(".", 1)[0] not in log and '{"level":"error"}' not in log


def test_a_customer_sees_and_makes_its_own_orders_alone(program, provider, clerk):
    client, me = program.client(), provider.customer(MINE)
    mine = client.post("/api/orders", order_of(MINE), me).expect(201)["id"]
    yours = client.post("/api/orders", order_of(YOURS), clerk).expect(201)["id"]
    assert client.get(f"/api/orders/{mine}", me).expect(200)["customerId"] == MINE
    assert client.get(f"/api/orders/{mine}/status", me).status == client.get(f"/api/orders/{mine}/timeline", me).status == 200
    assert "customer:" + MINE in client.get(f"/api/orders/{mine}/timeline", me).body.decode()
    unknown = str(uuid.uuid4())
    for path in ("", "/status", "/timeline", "?wait=confirmed&timeout=1"):
        for _ in range(2):  # also when the order is in the cache
            foreign, absent = (client.get(f"/api/orders/{order}{path}", me).problem(404, "not-found") for order in (yours, unknown))
            assert (foreign["detail"], foreign["title"]) == (absent["detail"], absent["title"]) == ("no order has this id", "There is no such thing")
            assert client.get(f"/api/orders/{yours}{path}", clerk).status == 200
    assert client.call("HEAD", f"/api/orders/{yours}", None, me).status == 404
    listed = client.get("/api/orders", me).expect(200)["items"]
    assert mine in {order["id"] for order in listed} and {order["customerId"] for order in listed} == {MINE}
    assert client.get(f"/api/orders?customerId={MINE}&limit=1", me).status == client.get("/api/orders?customerId=", me).status == 200
    assert client.get(f"/api/orders?customerId={YOURS}", me).status == 403
    assert client.get(f"/api/orders?customerId={MINE}&customerId={YOURS}", me).status == 422
    assert client.post("/api/orders", order_of(YOURS), me).problem(403, "forbidden")["detail"] == "this caller places orders for its own customer alone"
    double = json.dumps(order_of(MINE))[:-1] + f', "customerId": "{YOURS}"}}'
    assert client.post("/api/orders", double.encode(), me).status == 400
    assert client.post("/api/orders", {}, me).status == 422


def test_a_customer_reaches_nothing_else(program, provider, clerk):
    me = provider.customer(MINE)
    client = program.client()
    order = client.post("/api/orders", order_of(MINE), me).expect(201)["id"]
    for method, path in (("POST", f"/api/orders/{order}/cancel"), ("DELETE", f"/api/orders/{order}"), ("POST", f"/api/orders/{order}/ship"),
                         ("POST", "/api/orders/bulk"), ("GET", "/api/sagas"), ("GET", "/actuator/prometheus")):
        assert client.call(method, path, None, me).status == 403, (method, path)
    assert program.client("inventory").get("/api/inventory/items", me).status == 403
    actors = [entry["actor"] for entry in client.get(f"/api/orders/{order}/timeline", clerk).expect(200)["items"]]
    assert actors.count(f"customer:{MINE}") == 1, "it was placed, and nothing else"


def test_an_idempotency_key_of_another_customer_gives_nothing_away(program, provider):
    client, key = program.client(), {"Idempotency-Key": uuid.uuid4().hex}
    first = client.post("/api/orders", order_of(YOURS), provider.customer(YOURS) | key).expect(201)
    second = client.post("/api/orders", order_of(MINE), provider.customer(MINE) | key)
    assert second.status in (201, 422) and first["id"] not in second.body.decode() and YOURS not in second.body.decode()


def test_a_key_that_is_rotated_out_is_refused(program, provider, keys):
    client, old = program.client(), bearer(provider.token())
    assert client.get("/api/orders", old).status == 200
    fresh = Provider()
    keys.write_text(json.dumps(fresh.key_set()))
    try:
        wait_until(lambda: client.get("/api/orders", bearer(fresh.token())).status == 200, 20, "the new key")
        client.get("/api/orders", old).problem(401, "unauthorized")
        keys.write_text("broken")
        wait_until(lambda: "a key set is refused" in (program.folder / f"log.{program.starts}").read_text(), 20, "a line in the log")
        assert client.get("/api/orders", bearer(fresh.token())).status == 200, "the last good keys stay"
    finally:
        keys.write_text(json.dumps(provider.key_set()))
    wait_until(lambda: client.get("/api/orders", old).status == 200, 20, "the old key again")
