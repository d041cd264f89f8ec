"""The audit log: what comes into it, who may read it, and how a change of it by SQL is found."""
import contextlib
import sqlite3
import subprocess

import pytest

from access_file import AccessFile, bearer
from databases import psql
from harness import PROGRAM, order_body, wait_until
from programs import make_program

PASSWORD = "marker horse battery staple"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = AccessFile(tmp_path_factory.mktemp("access") / "access.json")
    file.add_operator("olga", "operator", PASSWORD)
    return file


@pytest.fixture(scope="module")
def auditor(file):
    return bearer(file.add_key("auditor", "--scopes", "audit:read"))


@pytest.fixture(scope="module")
def clerk(file):
    return bearer(file.add_key("clerk", "--role", "clerk"))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def program(request, file, auditor, clerk, tmp_path_factory):
    its, undo = make_program(request.param, tmp_path_factory.mktemp(request.param))
    yield its.start("--access-file", str(file.path))
    its.end()
    undo()


def log_in(program, password=PASSWORD):
    return program.client().post("/api/sessions", {"name": "olga", "password": password})


def rows(program, auditor, service="order"):
    """Newest first, read in small pages."""
    all_rows, cursor = [], ""
    while True:
        page = program.client(service).get(f"/api/audit?limit=3{cursor}", auditor).expect(200)
        all_rows += page["items"]
        if page["nextCursor"] is None:
            return all_rows
        cursor = f"&cursor={page['nextCursor']}"


def told(program, auditor, service="order"):
    return {(row["service"], row["actor"], row["action"], row["outcome"]) for row in rows(program, auditor, service)}


def execute(url, *statements):
    if url.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:"), timeout=20)) as connection, connection:
            for statement in statements:
                connection.execute(statement)
    else:
        for statement in statements:
            psql(url, statement)


def verify(program):
    done = subprocess.run([PROGRAM, "verify", f"--order-database={program.order_database}", f"--inventory-database={program.inventory_database}", "--second-look=0s"],
                          capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def test_acts_of_operators_logins_and_refusals_are_kept(program, auditor, clerk):
    assert log_in(program, "wrong password").status == 401
    session = {"Cookie": log_in(program).headers["set-cookie"].split(";")[0], "X-Correlation-ID": "of-olga"}
    for service in ("relay", "inventory"):
        program.client(service).post("/api/relay/pause", None, session).expect(200)
        program.client(service).post("/api/relay/resume", None, session).expect(200)
    program.client("inventory").post("/api/inventory/items", {"sku": "T-audit", "name": "A thing", "onHand": 5}, session).expect(201)
    program.client("inventory").post("/api/inventory/items", {"sku": "T-clerk", "name": "A thing", "onHand": 5}, clerk).expect(201)
    for _ in range(3):
        assert program.client("relay").post("/api/relay/pause", None, clerk).status == 403
        assert program.client().get("/api/orders").status == 401
    expected = {("order-service", "operator:olga", "login", "refused"), ("order-service", "operator:olga", "login", "accepted"),
                ("event-relay-service", "operator:olga", "POST /api/relay/pause", "200"), ("event-relay-service", "operator:olga", "POST /api/relay/resume", "200")}
    wait_until(lambda: expected <= told(program, auditor), 20, "the acts in the log of orders")
    of_stock = {("inventory-service", "operator:olga", "POST /api/relay/pause", "200"), ("inventory-service", "operator:olga", "POST /api/inventory/items", "committed")}
    wait_until(lambda: of_stock <= told(program, auditor, "inventory"), 20, "the acts in the log of stock")
    assert "key:clerk" not in {row["actor"] for row in rows(program, auditor, "inventory")}, "the traffic of programs"
    pause = next(row for row in rows(program, auditor) if row["action"] == "POST /api/relay/pause")
    assert (pause["address"], pause["subject"], pause["correlationId"], pause["occurrences"]) == ("127.0.0.1", "/api/relay/pause", "of-olga", 1)
    positions = [row["position"] for row in rows(program, auditor)]
    assert positions == list(range(len(positions), 0, -1))
    assert "marker" not in str(rows(program, auditor))


def test_an_act_is_there_with_its_answer_and_survives_a_kill(file, auditor, program):
    """An act that changes the database has its row in the same transaction, so the death of the process right after the answer does not lose it."""
    session = {"Cookie": log_in(program).headers["set-cookie"].split(";")[0]}
    for number in range(4):
        customer = program.client().post("/api/customers", {"name": "Ann"}, session).expect(201)["id"]
        assert ("order-service", "operator:olga", "POST /api/customers", "committed") in told(program, auditor)
        program.client().post(f"/api/customers/{customer}/erase", {"dryRun": True}, session).expect(200)
        program.client("inventory").post("/api/inventory/items", {"sku": f"T-kill-{number}", "name": "A thing", "onHand": 5}, session).expect(201)
        placed = program.client().post("/api/orders", order_body((f"T-kill-{number}", 1)), session | {"Idempotency-Key": f"kill-{number}"}).expect(201)["id"]
        program.client().post(f"/api/orders/{placed}/cancel", None, session).expect(200)
        program.client().post(f"/api/customers/{customer}/erase", None, session).expect(200)
        program.kill()
        program.start("--access-file", str(file.path))
        session = {"Cookie": log_in(program).headers["set-cookie"].split(";")[0]}
        committed = {(row["action"], row["subject"]) for row in rows(program, auditor) if row["outcome"] == "committed"}
        assert {("POST /api/orders/{id}/cancel", f"/api/orders/{placed}/cancel"), ("POST /api/orders", "/api/orders"),
                ("POST /api/customers/{id}/erase", f"/api/customers/{customer}/erase")} <= committed
        stock = [row for row in rows(program, auditor, "inventory") if (row["action"], row["outcome"]) == ("POST /api/inventory/items", "committed")]
        assert len(stock) == number + 2, "one for each, and one of the test before"
    erased = [row for row in rows(program, auditor) if row["action"] == "POST /api/customers/{id}/erase"]
    assert [row["outcome"] for row in erased].count("committed") == 4, "a dry run changes nothing"


def test_a_retry_of_the_relay_is_there(program, auditor, file):
    """Refused here, because nothing is parked; relay_parked_test.cpp has one that is done."""
    session = {"Cookie": log_in(program).headers["set-cookie"].split(";")[0]}
    for service in ("relay", "inventory"):
        program.client(service).post("/api/relay/events/0190aaaa-0000-7000-8000-000000000000/retry", None, session).problem(404, "not-found")
    name = "POST /api/relay/events/{id}/retry"
    wait_until(lambda: ("event-relay-service", "operator:olga", name, "404") in told(program, auditor), 20, "the retry in the log of orders")
    wait_until(lambda: ("inventory-service", "operator:olga", name, "404") in told(program, auditor, "inventory"), 20, "the retry in the log of stock")


def test_only_audit_read_reads_it(program, auditor, clerk):
    assert program.client().get("/api/audit").status == 401
    assert program.client().get("/api/audit", clerk).status == 403
    assert program.client().get("/api/audit?limit=0", auditor).status == program.client().get("/api/audit?cursor=x", auditor).status == 422
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert program.client().call(method, "/api/audit", None, auditor).status == 405


SPOILT = {
    "changed": (["UPDATE audit_log SET actor = 'operator:eva' WHERE position = 2"], "row 2: was changed"),
    "deleted": (["DELETE FROM audit_log WHERE position = 2"], "row 2: is missing"),
    "swapped": (["UPDATE audit_log SET position = 1000000 WHERE position = 2", "UPDATE audit_log SET position = 2 WHERE position = 3",
                 "UPDATE audit_log SET position = 3 WHERE position = 1000000"], "row 2: was changed"),
    "cut": (["DELETE FROM audit_log WHERE position = (SELECT position FROM audit_head)"], "is the head, and the last row is"),
}


def test_verify_names_a_row_that_was_changed_by_sql(file, auditor, clerk, program, tmp_path):
    """On both databases of the program; each kind of damage on a copy of the log."""
    for _ in range(3):
        program.client("inventory").post("/api/relay/resume", None, {"Cookie": log_in(program).headers["set-cookie"].split(";")[0]}).expect(200)
    wait_until(lambda: len(rows(program, auditor, "inventory")) >= 3 and len(rows(program, auditor)) >= 3, 20, "some rows")
    assert program.stop() == 0  # so that nobody appends meanwhile
    code, out = verify(program)
    assert code == 0 and "audit log of orders" in out and "audit log of stock" in out, out
    for url in (program.order_database, program.inventory_database):
        execute(url, "CREATE TABLE kept_log AS SELECT * FROM audit_log")
        for kind, (damage, told_of) in SPOILT.items():
            execute(url, *damage)
            code, out = verify(program)
            assert code != 0 and "audit_log_is_unbroken" in out and told_of in out, (kind, out)
            execute(url, "DELETE FROM audit_log", "INSERT INTO audit_log SELECT * FROM kept_log")
            assert verify(program)[0] == 0, kind
        execute(url, "DROP TABLE kept_log")


def test_refusals_are_counted_in_one_row(file, auditor, clerk, tmp_path):
    program, undo = make_program("sqlite", tmp_path)
    try:
        program.start("--access-file", str(file.path))
        for _ in range(7):
            assert program.client("inventory").get("/api/orders").status == 404
            assert program.client("inventory").get("/api/inventory/items").status == 401
        assert program.stop() == 0  # what is being counted is written at the end
        program.start("--access-file", str(file.path))
        refused, = [row for row in rows(program, auditor, "inventory") if row["action"] == "refused"]
        assert (refused["actor"], refused["outcome"], refused["occurrences"], refused["subject"]) == ("nobody", "401", 7, "GET /api/inventory/items")
    finally:
        program.end()
        undo()
