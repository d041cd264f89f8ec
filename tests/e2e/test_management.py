"""The management plane and the deadlines while Kafka, Redis or PostgreSQL stands still."""
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import time
import uuid

import pytest

from cluster import Cluster, shop
from harness import ROOT, Client, order_body, wait_until

SPRING = "application/vnd.spring-boot.actuator.v3+json"
# Far above what memory takes, far below what a server that stands still takes.
AT_ONCE = 1.0


@pytest.fixture
def cluster(servers, tmp_path):
    its = Cluster(servers.up(), tmp_path)
    yield its
    its.end()


class Frozen:
    """A server whose processes stand still: PostgreSQL with all of its children, or one process."""

    def __init__(self, servers, name):
        main = int(servers.run("pid", name))
        os.kill(main, signal.SIGSTOP)  # first, so that it starts no more children
        children = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=False).stdout.split()
        self.pids = [main, *map(int, children)]
        for pid in self.pids[1:]:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


def timed(call):
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


def components(process):
    return {name: its["status"] for name, its in process.health()["components"].items()}


def readiness(process):
    return process.client().get("/actuator/health/readiness").status


def metric_names(port):
    """The names in /actuator/prometheus, of a histogram without its parts."""
    return set(re.findall(r"^# TYPE (\S+)", Client(port).get("/actuator/prometheus").body.decode(), re.MULTILINE))


def test_orders_are_taken_while_kafka_and_redis_are_away(cluster):
    orders, stock, relay = cluster.start("order", "inventory", "relay")
    its = shop(cluster.processes)
    sku = its.new_sku(10)
    its.place_confirmed((sku, 1))
    assert components(orders) == {"db": "UP", "bus": "UP", "cache": "UP"}
    cluster.servers.run("kill", "kafka", "redis")
    wait_until(lambda: components(orders) == {"db": "UP", "bus": "DOWN", "cache": "DOWN"}, 20, "health naming what is away")
    answer, took = timed(lambda: orders.client().post("/api/orders", order_body((sku, 1))))
    print(f"POST {answer.status} in {took * 1000:.0f} ms while Kafka and Redis are away")
    answer.expect(201)
    assert orders.health()["status"] == "DOWN"  # the whole is as bad as its worst component
    assert orders.client().get("/actuator/health").status == 503
    wait_until(lambda: components(stock)["bus"] == "DOWN", 20, "inventory knowing that Kafka is away")
    for process in (orders, stock):
        ready = process.client().get("/actuator/health/readiness").expect(200)
        assert ready == {"status": "UP", "components": {"db": {"status": "UP", "details": ready["components"]["db"]["details"]}}}
    assert set(relay.client().get("/actuator/health/readiness").json()["components"]) == {"db", "relay"}
    wait_until(lambda: components(relay)["bus"] == "DOWN", 20, "the relay knowing that Kafka is away")
    assert relay.client().get("/actuator/health/bus").status == 503
    cluster.servers.up("kafka", "redis")
    its.becomes(answer.json()["id"], "CONFIRMED", 60)


def test_a_frozen_database_delays_no_probe_and_no_answer_for_ever(cluster):
    processes = cluster.start("order", "inventory", "relay")
    orders, stock, relay = processes
    its = shop(processes)
    sku = its.new_sku(100)  # enough for each of the orders, whose outcomes are unknown
    known = its.place_confirmed((sku, 1))["id"]
    for process in processes:
        wait_until(lambda process=process: readiness(process) == 200, 20, f"{process.kind} being ready")
    keys = [uuid.uuid4().hex for _ in range(12)]
    body = order_body((sku, 1))
    frozen = Frozen(cluster.servers, "postgres")
    try:
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(keys) + 2) as threads:
            posts = [threads.submit(timed, lambda key=key: orders.client().post("/api/orders", body, {"Idempotency-Key": key})) for key in keys]
            reads = [threads.submit(timed, lambda path=path: orders.client().get(path)) for path in ("/api/orders?limit=1", f"/api/orders/{known}/timeline")]
            waits = {}
            while len(waits) < len(processes) and time.monotonic() - began < 20:
                for process in processes:
                    answer, took = timed(lambda process=process: process.client().get("/actuator/health/readiness"))
                    assert took < AT_ONCE
                    if answer.status == 503:
                        waits.setdefault(process.kind, time.monotonic() - began)
                time.sleep(0.05)
            print("readiness DOWN after " + ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in waits.items()))
            assert len(waits) == len(processes) and max(waits.values()) < 5
            slowest = 0
            for process in processes:
                for path in ("", "/health/liveness", "/health", "/info", "/metrics", "/metrics/process.open.fds", "/prometheus"):
                    answer, took = timed(lambda process=process, path=path: process.client().get("/actuator" + path))
                    slowest = max(slowest, took)
                    assert answer.status == (503 if path == "/health" else 200), path
            print(f"the slowest of /actuator/* took {slowest * 1000:.0f} ms")
            assert slowest < AT_ONCE
            assert re.search(r'"db":\{"status":"DOWN","details":\{"error":', orders.client().get("/actuator/health").body.decode())
            answers = [post.result() for post in posts]
            print("POST " + ", ".join(f"{answer.status} {answer.json()['code']} in {took:.1f} s" for answer, took in answers))
            for answer, took in answers + [read.result() for read in reads]:
                assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1 and took < 10.5
            assert {answer.json()["code"] for answer, _ in answers} <= {"outcome-unknown", "unavailable"}
    finally:
        frozen.thaw()
    for process in processes:
        wait_until(lambda process=process: readiness(process) == 200, 20, f"{process.kind} being ready again")
    # Each key again: what was said to be unknown is one order, whether it was taken or not.
    placed = {wait_until(lambda key=key: (lambda answer: answer if answer.status == 201 else None)(
        orders.client().post("/api/orders", body, {"Idempotency-Key": key})), 20, "an order being taken again").json()["id"] for key in keys[:3]}
    assert len(placed) == 3
    for order in placed:
        its.becomes(order, "CONFIRMED", 30)


def test_a_wait_for_a_confirmation_ends_with_the_order_while_the_database_is_frozen(cluster):
    orders, = cluster.start("order")  # without inventory nobody confirms it
    body = order_body(("NOBODY", 1), externalRef=uuid.uuid4().hex)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        post = threads.submit(timed, lambda: orders.client().post("/api/orders?wait=confirmed", body))
        placed = wait_until(lambda: orders.client().get(f"/api/orders?externalRef={body['externalRef']}").json()["items"], 10, "the order")
        frozen = Frozen(cluster.servers, "postgres")
        try:
            answer, took = post.result(20)
        finally:
            frozen.thaw()
    print(f"?wait=confirmed was answered {answer.status} after {took:.1f} s")
    assert answer.expect(201)["status"] == "PENDING" and answer.headers["location"] == f"/api/orders/{placed[0]['id']}"
    assert took < 10.5


def test_a_stop_has_an_end_while_the_database_is_frozen(cluster):
    orders, stock = cluster.process("order", DRAIN="1s"), cluster.process("inventory", DRAIN="1s")
    for process in (orders, stock):
        process.spawn()
    for process in (orders, stock):
        process.wait_ready()
    sku = shop([orders, stock]).new_sku(1)
    frozen = Frozen(cluster.servers, "postgres")
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            threads.submit(lambda: orders.client().call("POST", "/api/orders", order_body((sku, 1)), {"Connection": "close"}))
            wait_until(lambda: readiness(orders) == 503, 10, "readiness being DOWN")
            began = time.monotonic()
            orders.signal(signal.SIGTERM)
            stock.signal(signal.SIGTERM)
            wait_until(lambda: '"draining"' in orders.log.read_text(), 10, "the drain")
            assert orders.process.poll() is None  # it tries an orderly end first
            orders.signal(signal.SIGINT)
            assert orders.process.wait(5) == 128 + signal.SIGINT
            print(f"the second signal ended order-service after {time.monotonic() - began:.1f} s")
            code = stock.process.wait(40)
            print(f"inventory-service ended with {code} after {time.monotonic() - began:.1f} s")
            assert code in (0, 1) and time.monotonic() - began < 1 + 20 + 3
    finally:
        frozen.thaw()


def test_the_management_plane_may_have_an_address_of_its_own(cluster):
    orders = cluster.process("order", MANAGEMENT_ADDRESS="127.0.0.1:0").start()
    ports = re.search(r'"order":(\d+),"order-management":(\d+)', orders.log.read_text())
    api, management = Client(int(ports[1])), Client(int(ports[2]))
    assert api.get("/api/orders?limit=1").status == 200
    assert api.get("/actuator/health").status == 404
    assert management.get("/api/orders?limit=1").status == 404
    health = management.get("/actuator/health")
    assert health.status == 200 and health.headers["content-type"] == SPRING
    assert health.json()["groups"] == ["liveness", "readiness"]
    assert b'uri="/api/orders"' in management.get("/actuator/prometheus").body


def families(port):
    """{name: (kind, [label names of each series])} of /actuator/prometheus, the parts of a histogram together and without `le`."""
    text = Client(port).get("/actuator/prometheus").body.decode()
    found = {name: (kind, []) for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE)}
    for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        family = name if name in found else re.sub(r"_(bucket|sum|count)$", "", name)
        found[family][1].append(set(re.findall(r'([a-z_]+)="', labels)) - {"le"})
    return found


def rows_of_page():
    """{name: (kind, set of labels, letters of services)}"""
    page = (ROOT / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \| ([^|]*)\| ([oir ]+) \| [^|]+ \|$", page, re.MULTILINE)
    assert len(rows) == len({row[0] for row in rows}) == len(re.findall(r"^\| `[a-z_]+` \| (?:counter|gauge|histogram)", page, re.MULTILINE)) > 80
    return {name: (kind, set(re.findall(r"`(\w+)`", labels)), set(services.split())) for name, kind, labels, services in rows}


def test_the_page_of_the_metrics_is_true_and_complete(cluster, tmp_path):
    page = rows_of_page()
    known = page.keys()
    processes = cluster.start("order", "inventory", "relay")
    its = shop(processes)
    its.place_confirmed((its.new_sku(10), 1))
    wait_until(lambda: {"trackops_sagas", "trackops_stock_units"} <= metric_names(processes[0].port) | metric_names(processes[1].port), 20, "the gauges")
    shown = set()
    for process in processes:
        for name, (kind, series) in families(process.port).items():
            shown.add(name)
            assert name in page, f"{name} is not in docs/metrics.md"
            assert (kind, process.kind[0] in page[name][2]) == (page[name][0], True), f"{name} in {process.kind}"
            assert all(labels == page[name][1] for labels in series), f"{name}: {series[0]}"
    # Some appear only once something has happened: a name in the sources is enough for the other way.
    sources = "\n".join(file.read_text() for file in pathlib.Path(ROOT / "src").rglob("*.?pp") if not file.name.endswith("_test.cpp"))
    in_code = set(re.findall(r'"((?:trackops|http|process|system)_[a-z_]+)"', sources))
    assert not known - shown - in_code, "names in docs/metrics.md that no program has"
    for name in ("http_server_requests_seconds", "process_start_time_seconds", "trackops_build_info"):
        assert name in shown
    for process in processes:
        listed = process.client().get("/actuator/metrics").json()["names"]
        assert len(set(listed)) == len(listed) >= len(metric_names(process.port) & known)
        for name in listed:  # each leads to a metric, and no two to the same one
            assert process.client().get(f"/actuator/metrics/{name}").expect(200)["name"] == name
        assert {"http.server.requests", "process.uptime", "process.cpu.usage", "system.cpu.usage", "system.cpu.count"} <= set(listed)
        for name in ("process.cpu", "process_cpu_seconds_total"):
            seen = process.client().get(f"/actuator/metrics/{name}").expect(200)
            assert (seen["name"], seen["baseUnit"], seen["measurements"][0]["statistic"]) == ("process.cpu", "seconds", "COUNT")
