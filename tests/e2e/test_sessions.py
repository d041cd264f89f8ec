"""Operators log in and out: what a session may do, how it ends, and what an attacker gets."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time

import pytest

from access_file import AccessFile, bearer
from cluster import Cluster
from harness import in_parallel, order_body, wait_until
from programs import make_program

SERVICES = {"order": "/api/orders?limit=1", "inventory": "/api/inventory/items?limit=1", "relay": "/api/relay/status"}
PASSWORD = "marker horse battery staple"
LATEST = 1.0  # seconds from the end of a session, or of its operator, to its last use


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = AccessFile(tmp_path_factory.mktemp("access") / "access.json")
    for name, role in (("ann", "clerk"), ("vera", "viewer"), ("root", "admin"), ("gone", "clerk")):
        file.add_operator(name, role, PASSWORD)
    return file


@pytest.fixture(scope="module")
def program(file, tmp_path_factory):
    its, undo = make_program("sqlite", tmp_path_factory.mktemp("sqlite"))
    yield its.start("--access-file", str(file.path))
    its.end()
    undo()


def log_in(client, name, password=PASSWORD, headers=None):
    return client.post("/api/sessions", {"name": name, "password": password}, headers)


def id_of(answer):
    answer.expect(201)
    return re.fullmatch(r"trackops=([0-9a-f]{64}); Path=/; Max-Age=43200; HttpOnly; SameSite=Strict", answer.headers["set-cookie"])[1]


def cookie(session):
    return {"Cookie": f"trackops={session}"}


def statuses(program, headers):
    return {service: program.client(service).get(path, headers).status for service, path in SERVICES.items()}


def all_of(status):
    return dict.fromkeys(SERVICES, status)


def test_a_session_opens_all_services_with_the_scopes_of_its_role(program):
    answer = log_in(program.client(), "ann")
    body = answer.expect(201)
    assert (body["operator"], body["role"], answer.headers["cache-control"]) == ("ann", "clerk", "no-store")
    session = cookie(id_of(answer))
    assert statuses(program, session) == all_of(200)
    assert program.client("relay").post("/api/relay/pause", None, session).problem(403, "forbidden")["detail"] == "this needs the scope operate"
    own = program.client().get("/api/sessions/current", session).expect(200)
    assert (own["operator"], own["handle"], own["isCurrent"], own["from"]) == ("ann", body["handle"], True, "127.0.0.1")
    assert own["createdAt"] < own["idleEndsAt"] < own["endsAt"]


def test_the_operator_is_the_actor(program):
    session = cookie(id_of(log_in(program.client(), "ann")))
    order = program.client().post("/api/orders", order_body(("T-any", 1)), session).expect(201)
    timeline = json.dumps(program.client().get(f"/api/orders/{order['id']}/timeline", session).expect(200))
    assert "operator:ann" in timeline, timeline


def test_a_session_that_has_ended_opens_nothing_again(program):
    client = program.client()
    first, second = (id_of(log_in(client, "ann")) for _ in range(2))
    assert statuses(program, cookie(first)) == all_of(200)
    ended = client.call("DELETE", "/api/sessions/current", None, cookie(first))
    assert ended.status == 204 and ended.headers["set-cookie"] == "trackops=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
    assert statuses(program, cookie(first)) == all_of(401)
    assert client.get("/api/orders", cookie(first)).problem(401, "unauthorized")["detail"] == "the session has ended; log in again"
    assert statuses(program, cookie(second)) == all_of(200)


def test_an_id_that_an_attacker_has_chosen_is_never_that_of_a_session(program):
    client, chosen = program.client(), "c0ffee" + "0" * 58
    first = id_of(log_in(client, "ann", headers=cookie(chosen)))
    assert first != chosen and client.get("/api/orders", cookie(chosen)).status == 401
    second = id_of(log_in(client, "ann", headers=cookie(first)))
    assert second != first


@pytest.mark.parametrize("spoil", [
    lambda text: text[:-1], lambda text: text + "0", lambda text: "", lambda text: text.upper() if text.upper() != text else "A" * 64,
    lambda text: ("1" if text[0] == "0" else "0") + text[1:], lambda text: text + f"; trackops={text}", lambda text: '"' + text + '"',
    lambda text: "'; DROP TABLE orders; --"], ids=["cut", "longer", "empty", "capitals", "changed", "twice", "quoted", "sql"])
def test_a_forged_cookie_opens_nothing(program, spoil):
    session = id_of(log_in(program.client(), "ann"))
    assert statuses(program, cookie(spoil(session))) == all_of(401)
    assert statuses(program, {"Cookie": f"__Host-trackops={session}"}) == all_of(401), "the name for TLS, on plain loopback"
    handle = program.client().get("/api/sessions/current", cookie(session)).expect(200)["handle"]
    assert statuses(program, cookie(handle)) == statuses(program, bearer(session)) == statuses(program, bearer(handle)) == all_of(401)


def test_a_page_of_another_origin_cannot_use_the_session(program):
    session = cookie(id_of(log_in(program.client(), "root")))
    relay = program.client("relay")
    for page in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                 {"Origin": f"http://localhost:{program.ports['order']}"}):
        assert relay.post("/api/relay/pause", None, session | page).status == 403, page
    assert relay.get("/api/relay/status", session).expect(200)["paused"] is False
    foreign = log_in(program.client(), "ann", headers={"Origin": "https://evil.example"})  # nobody is logged in by a page of a stranger
    assert foreign.status == 403 and "set-cookie" not in foreign.headers


def test_operators_see_and_end_their_own_sessions_and_an_admin_all(program):
    client = program.client()
    ann, vera, root = (id_of(log_in(client, name)) for name in ("ann", "vera", "root"))
    listed = client.get("/api/sessions", cookie(vera)).expect(200)
    assert {one["operator"] for one in listed["items"]} == {"vera"} and listed["nextCursor"] is None
    everybody = client.get("/api/sessions", cookie(root)).expect(200)["items"]
    assert {"ann", "vera", "root"} <= {one["operator"] for one in everybody} and [one["isCurrent"] for one in everybody].count(True) == 1
    of_ann = client.get("/api/sessions?operator=ann", cookie(root)).expect(200)["items"]
    assert client.get("/api/sessions?operator=ann", cookie(vera)).status == 403
    handle = client.get("/api/sessions/current", cookie(ann)).expect(200)["handle"]
    assert handle in {one["handle"] for one in of_ann}
    for method in ("GET", "DELETE"):
        client.call(method, f"/api/sessions/{handle}", None, cookie(vera)).problem(404, "not-found")
    assert client.call("DELETE", "/api/sessions?operator=ann", None, cookie(vera)).status == 403
    assert client.call("DELETE", "/api/sessions", None, cookie(vera)).problem(422, "invalid-request")["errors"][0]["pointer"] == "operator"
    assert client.get("/api/orders", cookie(ann)).status == 200
    assert client.call("DELETE", "/api/sessions?operator=ann", None, cookie(root)).expect(200) == {"ended": len(of_ann)}
    assert client.get("/api/orders", cookie(ann)).status == 401
    own = client.get("/api/sessions/current", cookie(vera)).expect(200)["handle"]
    assert client.call("DELETE", f"/api/sessions/{own}", None, cookie(root)).status == 204
    assert client.get("/api/orders", cookie(vera)).status == 401


def test_a_key_has_no_session(program, file):
    key = file.add_key("all", "--role", "admin")
    client = program.client()
    wait_until(lambda: client.get("/api/orders", bearer(key)).status == 200, 10, "the new key")
    client.get("/api/sessions/current", bearer(key)).problem(404, "not-found")
    assert client.get("/api/sessions", bearer(key)).status == 200


def test_a_session_ends_with_its_operator(program, file):
    client = program.client()
    session = cookie(id_of(log_in(client, "gone")))

    def seconds_until(status):
        changed = file.path.stat().st_mtime
        wait_until(lambda: client.get("/api/orders?limit=1", session).status == status, 20, f"the session being answered {status}")
        return time.time() - changed
    assert client.get("/api/orders", session).status == 200
    file.change("add-operator", "--name", "gone", "--role", "viewer", "--replace", given=PASSWORD + "\n")
    changed = seconds_until(401)
    session = cookie(id_of(log_in(client, "gone")))
    assert client.get("/api/orders", session).status == 200
    file.change("revoke", "--operator", "gone")
    revoked = seconds_until(401)
    assert log_in(client, "gone").status == 401
    print(f"seconds from the change of the file: changed {changed:.2f}, revoked {revoked:.2f}")
    assert max(changed, revoked) <= LATEST


def test_a_guesser_is_stopped_and_told_when(program):
    client = program.client()
    wrong = [log_in(client, "vera", f"wrong password {i}") for i in range(5)]
    unknown = log_in(client, "nobody-at-all", "wrong password")
    assert {answer.problem(401, "unauthorized")["detail"] for answer in [*wrong, unknown]} == {"the name or the password is not right"}
    stopped = log_in(client, "vera")  # with the right password
    assert stopped.problem(429, "rate-limited")["detail"] == "too many attempts to log in"
    assert 200 < int(stopped.headers["retry-after"]) <= 300
    id_of(log_in(client, "ann"))


def test_many_logins_at_once_do_not_stop_the_service(program):
    def attempt(i):
        answer = log_in(program.client(), f"mass{i}", "wrong password")
        assert answer.status in (401, 503), answer.status
        assert answer.status == 401 or int(answer.headers["retry-after"]) > 0
        return answer.status
    answered = in_parallel(60, attempt)
    print({status: answered.count(status) for status in set(answered)})
    assert 401 in answered
    id_of(log_in(program.client(), "ann"))


@pytest.mark.parametrize("body", [{}, {"name": "ann"}, {"name": "ann", "password": 1}, {"name": "ann", "password": PASSWORD, "role": "admin"},
                                  {"name": "x" * 65, "password": PASSWORD}, {"name": "ann", "password": "x" * 1025}, []])
def test_a_login_that_is_none_is_refused(program, body):
    answer = program.client().post("/api/sessions", body)
    answer.problem(422, "invalid-request")
    assert "marker" not in answer.body.decode()


def test_no_secret_and_no_foreign_line_gets_into_logs_metrics_answers_or_the_list_of_processes(program):
    client, log = program.client(), program.folder / f"log.{program.starts}"
    session = id_of(log_in(client, "ann"))
    forged = 'ann","level":"error","message":"forged'
    answers = [log_in(client, forged, "marker wrong"), log_in(client, "x\\ny", "marker wrong"), client.get("/api/sessions", cookie(session)),
               client.get("/api/orders?x=1", cookie(session)), client.get("/api/sessions/current", cookie(session + "0")),
               client.post("/api/sessions", b'{"name": "ann", "password": "marker', {"Content-Type": "application/json"})]
    metrics = client.get("/actuator/prometheus", cookie(id_of(log_in(client, "root")))).body.decode()
    texts = {"log": log.read_text(), "metrics": metrics, "processes": pathlib.Path(f"/proc/{program.process.pid}/cmdline").read_text(),
             **{str(i): str(answer.headers) + answer.body.decode() for i, answer in enumerate(answers)}}
    for secret in ("marker", session, session[:16]):
        assert not [name for name, text in texts.items() if secret in text], secret
    for line in texts["log"].splitlines():
        assert "forged" not in json.loads(line).get("message", "") and json.loads(line).get("level") != "forged"
    assert re.search(r'^trackops_logins_total\{outcome="refused"\} [1-9]', metrics, re.MULTILINE)


@pytest.mark.parametrize("setting", ["--session-idle", "--session-age"])
def test_a_session_that_is_idle_or_old_ends(file, tmp_path, setting):
    program, undo = make_program("sqlite", tmp_path)
    try:
        program.start("--access-file", str(file.path), setting, "3s")
        client, began = program.client(), time.monotonic()
        session = {"Cookie": log_in(client, "ann").headers["set-cookie"].split(";")[0]}
        if setting == "--session-idle":
            time.sleep(3.5)  # the time itself is what is tested
            assert client.get("/api/orders", session).status == 401
            return
        wait_until(lambda: client.get("/api/orders", session).status == 401, 20, "the end of a session that is used")
        assert time.monotonic() - began >= 3
    finally:
        program.end()
        undo()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_replicas_share_the_sessions_and_keys_go_on_without_redis(servers, file, tmp_path):
    port = free_port()

    def redis():
        return subprocess.Popen([shutil.which("redis-server"), "--port", str(port), "--save", "", "--dir", tmp_path], stdout=subprocess.DEVNULL)
    key = bearer(file.add_key("program", "--role", "admin"))
    shared = {"ACCESS_FILE": str(file.path), "SESSION_URL": f"redis://127.0.0.1:{port}"}
    server = redis()
    cluster = Cluster(servers.up(), tmp_path, **{service: shared for service in SERVICES})
    try:
        order, inventory, relay = cluster.start(*SERVICES)
        second = cluster.process("order").start()
        clients = {one: path for one, path in zip((order, inventory, relay, second), [*SERVICES.values(), SERVICES["order"]])}

        def answered(headers):
            return [process.client().get(path, headers).status for process, path in clients.items()]
        session = cookie(id_of(log_in(order.client(), "ann")))
        assert answered(session) == [200] * 4
        dump = subprocess.run(["redis-cli", "-p", str(port), "--scan"], capture_output=True, text=True, check=True).stdout
        values = "".join(subprocess.run(["redis-cli", "-p", str(port), "GET", name], capture_output=True, text=True, check=True).stdout for name in dump.split())
        assert dump.count("trackops:session:") == 1 and session["Cookie"][9:] not in dump + values and PASSWORD not in dump + values
        for stolen in re.findall(r"trackops:session:([0-9a-f]{64})", dump):
            assert answered(cookie(stolen)) == [401] * 4, "what a dump of Redis holds opens nothing"
        second.client().call("DELETE", "/api/sessions/current", None, session)
        ended = time.monotonic()
        wait_until(lambda: answered(session) == [401] * 4, 20, "the end everywhere")
        assert time.monotonic() - ended < 3
        for i in range(5):
            assert log_in((order, second)[i % 2].client(), "root", "wrong password").status == 401
        assert log_in(order.client(), "root").status == log_in(second.client(), "root").status == 429, "attempts are counted across replicas"
        session = cookie(id_of(log_in(order.client(), "ann")))
        server.terminate()
        server.wait()
        wait_until(lambda: answered(session) == [503] * 4, 20, "503 for operators")
        assert order.client().get("/api/orders", session).problem(503, "unavailable")["detail"] == "try again in a moment"
        log_in(order.client(), "ann").problem(503, "unavailable")
        assert answered(key) == [200] * 4
        server = redis()
        wait_until(lambda: answered(session) == [401] * 4, 20, "a server that knows no session")
        wait_until(lambda: log_in(order.client(), "ann").status == 201, 20, "a new login")
    finally:
        cluster.end()
        server.terminate()
        server.wait()


def test_nobody_can_log_in_without_an_access_file(tmp_path):
    program, undo = make_program("sqlite", tmp_path)
    try:
        program.start()
        assert "no access file" in log_in(program.client(), "ann").problem(409, "conflict")["detail"]
        assert program.client().get("/api/sessions").expect(200) == {"items": [], "nextCursor": None}
        assert program.client().get("/api/orders", cookie("0" * 64)).status == 200
        program.client().get("/api/sessions/current").problem(404, "not-found")
    finally:
        program.end()
        undo()
