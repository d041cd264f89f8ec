"""Who may call: every route of every service with every kind of caller, and how keys come and go while a service runs."""
import functools
import json
import pathlib
import re
import subprocess
import time
import uuid

import pytest

from access_file import AccessFile, bearer
from cluster import Cluster
from harness import PROGRAM, Client, order_body, send_raw, wait_until
from programs import make_program

SERVICES = ("order", "inventory", "relay")
ROLES = {  # what is promised; the program has a table of its own
    "viewer": {"orders:read", "inventory:read", "relay:read"},
    "clerk": {"orders:read", "orders:write", "inventory:read", "inventory:write", "relay:read"},
    "operator": {"orders:read", "orders:write", "inventory:read", "inventory:write", "relay:read", "operate", "audit:read", "metrics:read"},
    "admin": {"orders:read", "orders:write", "inventory:read", "inventory:write", "relay:read", "operate", "audit:read", "metrics:read", "orders:own", "admin"}}
LOGIN = ("POST", "/api/sessions")  # open, as it must be; test_sessions.py is about it
OPEN = {"/", "/docs", "/openapi.json", "/v3/api-docs", "/problems/{code}", "/actuator/health/liveness", "/actuator/health/readiness"}  # to everybody
PARAMETERS = {"addressId": "01911111-1111-7111-8111-111111111111", "id": str(uuid.uuid4()), "sku": "T-unknown", "code": "unavailable", "component": "db", "group": "readiness", "name": "process.cpu", "handle": "0" * 32}
BODIES = {"none": (None, {}), "json": (b"{}", {"Content-Type": "application/json"}), "ndjson-stream": (b"", {"Content-Type": "application/x-ndjson"})}
ROWS = json.loads(subprocess.run([PROGRAM, "routes", "--json"], capture_output=True, check=True).stdout)
LATEST = 1.0  # seconds from a change of the file to its effect


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return AccessFile(tmp_path_factory.mktemp("access") / "access.json")


@pytest.fixture(scope="module")
def keys(file):
    """{kind of caller: (its key, its scopes)}"""
    kinds = {role: (file.add_key(role, "--role", role), scopes) for role, scopes in ROLES.items()}
    for scope in sorted(ROLES["admin"]):
        kinds[f"only {scope}"] = (file.add_key("only", "--scopes", scope), {scope})
    return kinds


@pytest.fixture(scope="module")
def program(file, keys, tmp_path_factory):
    its, undo = make_program("sqlite", tmp_path_factory.mktemp("sqlite"))
    yield its.start("--access-file", str(file.path))
    its.end()
    undo()


def request_of(row):
    path = re.sub(r"\{(\w+)\}", lambda name: PARAMETERS[name[1]], row["pattern"])
    body, headers = BODIES[row["body"]]
    return row["method"], path, body, headers | {"Idempotency-Key": uuid.uuid4().hex}


def ask(program, row, credentials):
    method, path, body, headers = request_of(row)
    if row["answer"] != "event-stream":
        return program.client(row["service"]).call(method, path, body, headers | credentials)
    lines = [f"{name}: {value}" for name, value in (headers | credentials).items()]  # such an answer has no end
    return send_raw(program.ports[row["service"]], "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode())


def test_the_rows_that_are_open_are_those_that_are_meant_to_be():
    opened = {(row["method"], row["pattern"]) for row in ROWS if row["scope"] == "everybody"}
    assert opened == {("GET", pattern) for pattern in OPEN} | {LOGIN}
    assert {row["scope"] for row in ROWS} <= ROLES["admin"] | {"everybody", "authenticated"}
    assert {row["pattern"].split("/")[2] for row in ROWS if row["scope"] == "authenticated"} == {"sessions"}
    assert {row["service"] for row in ROWS} == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_each_route_admits_the_callers_with_its_scope_and_no_other(program, keys, service):
    rows = [row for row in ROWS if row["service"] == service]
    admitted = refused = 0
    for row in rows:
        where = f"{row['method']} {row['pattern']}"
        for kind, (key, scopes) in keys.items():
            answer = ask(program, row, bearer(key))
            if row["scope"] in scopes | {"everybody", "authenticated"}:
                assert answer.status not in (401, 403) and answer.status < 500, f"{where} for {kind}: {answer.status} {answer.body[:300]!r}"
                admitted += 1
            else:
                assert f"the scope {row['scope']}" in answer.problem(403, "forbidden")["detail"], f"{where} for {kind}"
                refused += 1
    print(f"{service}: {len(rows)} routes, {admitted} calls admitted, {refused} refused with 403")
    assert admitted > len(rows) and refused > len(rows)


@pytest.mark.parametrize("service", SERVICES)
def test_each_route_refuses_strangers_and_says_why(program, file, keys, service):
    admin = keys["admin"][0]
    other = AccessFile(file.path.with_name("other.json")).add_key("admin", "--role", "admin")
    mixed = admin[:13] + other[13:]  # the id of one key with the secret of another
    strangers = {"nothing": ({}, None), "a key of another file": (bearer(other), "the key is not known"),
                 "a mistyped key": (bearer(admin[:-1] + ("x" if admin[-1] != "x" else "y")), "mistyped"), "two halves": (bearer(mixed), "mistyped"),
                 "a password": ({"Authorization": "Basic YWRtaW46YWRtaW4="}, "Bearer"), "no key": (bearer("eyJhbGciOiJub25lIn0.e30."), "Bearer")}
    for row in (row for row in ROWS if row["service"] == service):
        where = f"{row['method']} {row['pattern']}"
        for kind, (credentials, fault) in strangers.items():
            answer = ask(program, row, credentials)
            if (row["method"], row["pattern"]) == LOGIN:
                assert answer.status == 422
                continue
            if row["pattern"] in OPEN:
                assert answer.status in (200, 302), f"{where} for {kind}: {answer.status}"
                continue
            problem, asked = answer.problem(401, "unauthorized"), answer.headers["www-authenticate"]
            assert asked.startswith('Bearer realm="trackops"'), asked
            needed = "this needs credentials" if row["scope"] == "authenticated" else f"the scope {row['scope']}"
            assert (fault or needed) in problem["detail"], f"{where} for {kind}: {problem}"
            assert ('error="invalid_token"' in asked) == (fault is not None), f"{where} for {kind}: {asked}"


def test_a_stranger_learns_nothing_from_readiness_and_heads(program, keys):
    client = program.client()
    assert client.get("/actuator/health/readiness").expect(200) == {"status": "UP"}
    assert "components" in client.get("/actuator/health/readiness", bearer(keys["operator"][0])).expect(200)
    assert client.call("HEAD", "/api/orders").status == 401
    assert client.call("OPTIONS", "/api/orders").status == 204


def test_a_refused_request_changes_nothing(program, keys):
    client = program.client("relay")
    for credentials in ({}, bearer(keys["viewer"][0]), bearer(keys["only orders:write"][0])):
        assert client.call("POST", "/api/relay/pause", None, credentials).status in (401, 403)
    assert client.get("/api/relay/status", bearer(keys["viewer"][0])).expect(200)["paused"] is False


def test_the_key_is_the_actor_of_what_it_does(program, keys):
    clerk = bearer(keys["clerk"][0])
    item = {"sku": "T-actor", "name": "A thing", "onHand": 5}
    program.client("inventory").post("/api/inventory/items", item, clerk).expect(201)
    orders = program.client()
    order = orders.post("/api/orders?wait=confirmed", order_body(("T-actor", 1)), clerk).expect(201)
    orders.post(f"/api/orders/{order['id']}/cancel", {"reason": "CUSTOMER_REQUEST"}, bearer(keys["operator"][0]))
    timeline = json.dumps(orders.get(f"/api/orders/{order['id']}/timeline", clerk).expect(200))
    assert "key:clerk" in timeline and "key:operator" in timeline, timeline


def test_a_key_is_given_and_revoked_within_a_second(program, file):
    client = program.client()

    def is_answered(key, status):
        return client.get("/api/orders?limit=1", bearer(key)).status == status

    def seconds_until(key, status):
        changed = file.path.stat().st_mtime
        wait_until(lambda: is_answered(key, status), 20, f"the key being answered {status}")
        return time.time() - changed
    first = file.add_key("guest", "--role", "viewer")
    given = seconds_until(first, 200)
    second = file.change("rotate", "--name", "guest", "--overlap", "1h").strip()
    rotated = seconds_until(second, 200)
    assert is_answered(first, 200), "both keys are valid side by side"
    file.change("revoke", "--id", first.split("_")[1])
    revoked = seconds_until(first, 401)
    assert is_answered(second, 200)
    print(f"seconds from the change of the file: given {given:.2f}, rotated {rotated:.2f}, revoked {revoked:.2f}")
    assert max(given, rotated, revoked) <= LATEST
    file.change("revoke", "--key", "guest")
    seconds_until(second, 401)


def test_a_bad_file_is_refused_with_a_line_and_the_callers_stay(program, file, keys):
    operator, good = bearer(keys["operator"][0]), file.path.read_text()

    def in_force():
        return re.search(r"^trackops_access_file_in_force (\d)", program.client().get("/actuator/prometheus", operator).body.decode(), re.MULTILINE)[1]
    log = program.folder / f"log.{program.starts}"
    before = log.read_text().count("the access file is refused")
    file.path.write_text(good.replace('"scopes"', '"scoops"', 1))
    try:
        wait_until(lambda: in_force() == "0", 20, "the file being refused")
    finally:
        file.path.write_text(good)
    wait_until(lambda: in_force() == "1", 20, "the good file being in force")
    refusals = [line for line in log.read_text().splitlines() if "the access file is refused" in line]
    assert len(refusals) == before + 1 and "/keys/0/scoops is not known here" in json.loads(refusals[-1])["faults"], refusals


def test_no_secret_leaves_by_log_metrics_answers_or_the_list_of_processes(program, file, keys):
    orders, log = program.client(), (program.folder / f"log.{program.starts}")
    key, operator = keys["clerk"][0], bearer(keys["operator"][0])
    answers = [orders.get(path, bearer(key)) for path in ("/api/orders?x=1", "/nowhere", "/api/sagas", "/actuator/prometheus", "/api/orders/none")]
    texts = [log.read_text(), orders.get("/actuator/prometheus", operator).body.decode(), pathlib.Path(f"/proc/{program.process.pid}/cmdline").read_text(),
             *(str(answer.headers) + answer.body.decode() for answer in answers)]
    for secret, _ in keys.values():
        assert not [text[:200] for text in texts if secret.split("_")[2][:12] in text]


def test_the_files_of_a_program_are_for_its_owner_alone(program):
    made = [path for path in (program.folder / "data").rglob("*") if path.name != "ports.json.new"]
    assert {"orders.db", "inventory.db", "ports.json", "bus"} <= {path.name for path in made}
    assert not [f"{path} {path.stat().st_mode:o}" for path in made if path.stat().st_mode & 0o077]


def test_the_management_listener_asks_for_no_key(file, keys, tmp_path):
    program, undo = make_program("sqlite", tmp_path)
    try:
        program.start("--access-file", str(file.path), "--management-address", "127.0.0.1:0")
        management = Client(program.ports["order-management"])
        assert "components" in management.get("/actuator/health").expect(200)
        assert management.get("/actuator/prometheus").status == 200
        assert program.client().get("/actuator/prometheus", bearer(keys["admin"][0])).status == 404
        assert program.client().get("/api/orders").status == 401
    finally:
        program.end()
        undo()


def test_a_program_does_not_start_with_a_bad_file(tmp_path):
    program, undo = make_program("sqlite", tmp_path)
    bad = tmp_path / "access.json"
    bad.write_text('{"keys": [{"name": "shop"}], "people": []}')
    try:
        for path, told in ((bad, "/keys/0/id is required"), (bad, "/people is not known here"), (tmp_path / "none.json", "No such file")):
            process = program.spawn("--access-file", str(path))
            assert process.wait(30) == 1
            assert told in program.log_tail() and str(path) in program.log_tail()
    finally:
        program.end()
        undo()


def test_each_program_takes_the_file_from_its_environment(servers, file, keys, tmp_path):
    cluster = Cluster(servers.up(), tmp_path, **{service: {"ACCESS_FILE": str(file.path)} for service in SERVICES})
    try:
        for process, path in zip(cluster.start(*SERVICES), ("/api/orders", "/api/inventory/items", "/api/relay/status")):
            assert process.client().get(path).status == 401
            assert process.client().get(path, bearer(keys["viewer"][0])).status == 200
            assert process.client().get("/actuator/prometheus").status == 401
            assert process.client().get("/actuator/prometheus", bearer(keys["viewer"][0])).status == 403
            assert process.client().get("/actuator/prometheus", bearer(keys["only metrics:read"][0])).status == 200
            ready = functools.partial(process.client().get, "/actuator/health/readiness")
            wait_until(lambda: ready().status == 200, 30, "readiness")
            assert ready().expect(200) == {"status": "UP"}
    finally:
        cluster.end()
