"""The three programs as processes on PostgreSQL, Kafka and Redis: both flows, and each server and process failing under load."""
import os
import signal
import socket
import time
import urllib.parse

import pytest

from cluster import Cluster, shop
from cutter import Cutter
from harness import in_parallel, order_body, wait_until
from shoppers import Crowd

PLENTY, SCARCE = 1_000_000, 300
CLIENTS = 8


@pytest.fixture
def cluster(servers, tmp_path):
    its = Cluster(servers.up(), tmp_path)
    yield its
    its.end()


class Load:
    """Shoppers against all the living order services of a cluster."""

    def __init__(self, cluster, orders):
        self.seed = int(os.environ.get("TRACKOPS_SEED") or time.time_ns() % 1_000_000)
        print(f"TRACKOPS_SEED={self.seed}")
        self.cluster, self.orders = cluster, orders
        its = shop(cluster.processes)
        skus = [its.new_sku(PLENTY), its.new_sku(PLENTY), its.new_sku(SCARCE)]
        self.crowd = Crowd(self.seed, CLIENTS, skus, lambda: [one.port for one in self.orders if one.process.poll() is None and one.port])

    def go_on(self, orders=150):
        """Until so many more orders were promised."""
        target = self.crowd.placed() + orders
        wait_until(lambda: self.crowd.faults or self.crowd.placed() >= target, 90, f"{orders} more orders")

    def finish(self):
        promised = self.crowd.finish()
        print(f"{len(promised)} orders promised; the slowest answer took {max(one.slowest for one in self.crowd.shoppers):.1f} s")
        self.cluster.check(promised, within=90)
        return promised


def test_both_flows_go_through_three_processes(cluster):
    its = shop(cluster.start("order", "inventory", "relay"))
    sku = its.new_sku(10)
    order = its.place_confirmed((sku, 4))
    assert its.stock(sku) == (10, 4, 6)
    its.change(order["id"], "process").expect(200)
    its.change(order["id"], "ship", {"carrier": "DHL"}).expect(200)
    its.stock_becomes(sku, 6, 0, 6)
    its.change(order["id"], "deliver").expect(200)
    second = its.place_confirmed((sku, 6))
    refused = its.becomes(its.place((sku, 1))["id"], "CANCELLED")
    assert refused["cancelReason"] == "OUT_OF_STOCK"
    its.change(second["id"], "cancel").expect(200)
    its.stock_becomes(sku, 6, 0, 6)
    cluster.check([order["id"], second["id"], refused["id"]])
    for process in cluster.processes:
        wait_until(lambda process=process: process.health()["status"] == "UP", 20, f"{process.kind} being UP")  # Redis may stand still for a moment
        assert process.stop() == 0


def test_a_broker_that_is_away_for_twenty_seconds_loses_nothing(cluster):
    orders, _, relay = cluster.start("order", "inventory", "relay")
    load = Load(cluster, [orders])
    load.go_on()
    cluster.servers.run("down", "kafka")
    away_until = time.monotonic() + 20
    load.go_on()  # orders are taken in all the same
    wait_until(lambda: relay.health()["status"] == "DOWN", 30, "the relay saying that its broker is away")
    time.sleep(max(0, away_until - time.monotonic()))
    cluster.servers.up("kafka")
    load.go_on()
    load.finish()


def test_patience_at_the_start_counts_the_tries_too(cluster):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bus = f"kafka://127.0.0.1:{silent.getsockname()[1]}"
        orders = cluster.process("order", BUS_URL=bus, START_PATIENCE="5s").spawn()
        assert orders.process.wait(60) == 1, orders.log_tail()  # a try takes ten seconds, and ten pauses fit into five


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_an_order_to_stop_is_followed_while_the_broker_does_not_answer(cluster, end):
    its = shop(cluster.start("order", "inventory", "relay"))
    sku = its.new_sku(100)
    its.place_confirmed((sku, 1))
    for _ in range(5):
        its.place((sku, 1))
    broker = int(cluster.servers.run("pid", "kafka"))
    os.kill(broker, end)
    try:
        for process in cluster.processes:
            process.signal(signal.SIGTERM)
        for process in cluster.processes:
            assert process.process.wait(60) == 0  # each of its waits has its own limit; together they come to half of that
    finally:
        if end == signal.SIGSTOP:
            os.kill(broker, signal.SIGCONT)


@pytest.mark.parametrize("how", ["down", "kill"])
def test_a_database_that_is_restarted_loses_nothing(cluster, how):
    orders, *_ = cluster.start("order", "inventory", "relay")
    load = Load(cluster, [orders])
    for _ in range(2):
        load.go_on()
        cluster.servers.run(how, "postgres")
        cluster.servers.up("postgres")
    load.go_on()
    load.finish()


def test_a_cache_that_is_away_slows_reads_and_breaks_nothing(cluster):
    orders, *_ = cluster.start("order", "inventory", "relay")
    load = Load(cluster, [orders])
    load.go_on()
    cluster.servers.run("kill", "redis")
    load.go_on()
    its = shop(cluster.processes)
    order = its.place((its.new_sku(1), 1))
    assert its.becomes(order["id"], "CONFIRMED")["status"] == "CONFIRMED"
    assert orders.health()["status"] in ("UP", "DOWN")
    assert orders.client().get("/actuator/health/readiness").status == 200
    cluster.servers.up("redis")
    load.go_on()
    load.finish()


@pytest.mark.parametrize("kind", ["order", "inventory", "relay"])
def test_a_service_that_is_killed_loses_nothing(cluster, kind):
    processes = cluster.start("order", "inventory", "relay")
    load = Load(cluster, processes[:1])
    victim = next(process for process in processes if process.kind == kind)
    for _ in range(3):
        load.go_on(80)
        victim.kill()
        victim.start()
    load.go_on(80)
    load.finish()


def test_replicas_come_and_go_under_load(cluster):
    first, stock, _ = cluster.start("order", "inventory", "relay")
    load = Load(cluster, [first])
    load.go_on()
    second, more_stock, _ = cluster.start("order", "inventory", "relay")
    load.orders.append(second)
    load.go_on()
    assert stock.stop() == 0  # an orderly leave
    load.go_on()
    first.kill()  # and a sudden one
    load.go_on()
    cluster.start("inventory")
    load.go_on()
    more_stock.kill()
    load.go_on()
    load.finish()


def test_both_replicas_answer_a_request_that_waits_for_confirmation(cluster):
    first, second, *_ = cluster.start("order", "order", "inventory", "relay")
    its = shop(cluster.processes)
    sku = its.new_sku(PLENTY)
    its.place_confirmed((sku, 1))  # a relay that started before the tables were there tries again in seconds
    for replica in (first, second):
        def place(_, replica=replica):
            return replica.client().post("/api/orders?wait=confirmed", order_body((sku, 1))).expect(201)["status"]
        assert set(in_parallel(8, place)) == {"CONFIRMED"}
    cluster.check()


def active(relays):
    return [relay for relay in relays if relay.client().get("/api/relay/status").json()["active"]]


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_another_relay_takes_over_within_five_seconds(cluster, end):
    orders, _, *relays = cluster.start("order", "inventory", "relay", "relay")
    load = Load(cluster, [orders])
    load.go_on()
    leader = wait_until(lambda: active(relays), 20, "a relay being active")[0]
    follower = next(relay for relay in relays if relay is not leader)
    took = []
    while len(took) < 3 and min(took, default=5) >= 5:  # the machine may stand still for a moment, but not three times
        leader.signal(end)
        began = time.monotonic()
        wait_until(lambda: active([follower]), 30, "the other relay being active")
        took.append(time.monotonic() - began)
        load.go_on()
        if end == signal.SIGKILL:
            leader.process.wait()
            leader.start()
        else:
            leader.signal(signal.SIGCONT)  # a stale leader: it may publish doubles, nothing else
        load.go_on()
        leader, follower = follower, leader
    print("the other relay took over after " + ", ".join(f"{seconds:.2f} s" for seconds in took))
    load.finish()
    assert min(took) < 5


@pytest.mark.parametrize("kind", ["order", "inventory"])
def test_a_consumer_that_stood_still_past_its_session_changes_nothing_twice(cluster, kind):
    processes = cluster.start("order", "order", "inventory", "inventory", "relay")
    stopped, other = (process for process in processes if process.kind == kind)
    load = Load(cluster, [other] if kind == "order" else processes[:2])
    load.go_on()
    stopped.signal(signal.SIGSTOP)
    load.go_on(100)
    time.sleep(12)  # longer than a session lasts
    load.go_on(100)
    stopped.signal(signal.SIGCONT)
    load.go_on()
    load.finish()


@pytest.mark.parametrize("kind", ["order", "inventory", "relay"])
def test_connections_cut_between_commit_and_its_answer_change_nothing_twice(cluster, kind):
    server = urllib.parse.urlsplit(cluster.urls["postgres"])
    cutter = Cutter(server.hostname, server.port, seed=7, chance=0.05)
    others = cluster.start(*[one for one in ("order", "inventory", "relay") if one != kind])
    cut = cluster.process(kind)
    cut.environment["TRACKOPS_DATABASE_URL"] = cut.environment["TRACKOPS_DATABASE_URL"].replace(f":{server.port}/", f":{cutter.port}/")
    if kind == "relay":
        cut.environment["TRACKOPS_SOURCE"] = "poll"  # the other one commits no checkpoint that an event hangs on
    cut.start()
    load = Load(cluster, [one for one in (cut, *others) if one.kind == "order"])
    wait_until(lambda: load.crowd.faults or (cutter.cuts >= 10 and load.crowd.placed() >= 300), 90, "ten cuts")
    print(f"{cutter.cuts} connections cut")
    cutter.chance = 0
    load.finish()
    cutter.close()


def test_both_sources_of_the_relay_are_switched_on_a_live_system(cluster):
    orders, _ = cluster.start("order", "inventory")
    load = Load(cluster, [orders])
    for asked, source in (("wal", "wal"), (None, "poll"), ("wal", "wal")):
        relay = cluster.process("relay", SOURCE=asked).start()
        load.go_on()
        assert relay.client().get("/api/relay/status").json()["source"] == source
        relay.kill()
        load.go_on(50)  # what is committed while no relay runs
    cluster.start("relay")
    load.finish()
