"""Every command of docs/runbooks runs as it stands there, on a system without a fault; and the three questions of people whose orders stand still are
answered on staged faults."""
import os
import pathlib
import re
import subprocess

import pytest

from cluster import Cluster, shop
from harness import PROGRAM, ROOT, order_body, wait_until
from topics import Topics

PAGES = {page.stem: page for page in sorted((ROOT / "docs/runbooks").glob("*.md")) if page.stem != "README"}
# Fails where the answer is an error, which the pages' own `curl -s` shows to a person.
STRICT_CURL = '#!/bin/sh\nexec /usr/bin/curl --fail-with-body "$@"\n'


def blocks(page, part=None):
    """The commands of a page, or of one of its parts, each block as it stands."""
    text = PAGES[page].read_text()
    if part:
        text = re.search(rf"^## {part}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


class Operator:
    """A person with a shell, who follows a page."""

    def __init__(self, cluster, processes, folder, strict):
        orders, stock, relay = processes
        (folder / "curl").write_text(STRICT_CURL)
        (folder / "curl").chmod(0o755)
        first = [str(folder)] if strict else []
        ports = {"ORDER_URL": orders, "INVENTORY_URL": stock, "RELAY_URL": relay}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKOPS_")} | {
            "PATH": ":".join([*first, str(pathlib.Path(PROGRAM).parent), os.environ["PATH"]]),
            "ORDER_DB": cluster.order_database, "INVENTORY_DB": cluster.inventory_database, "REDIS": cluster.urls["redis"],
            "KAFKA": cluster.urls["kafka"].removeprefix("kafka://"), "TOPICS": cluster.bus.split("prefix=")[1],
            **{name: f"http://127.0.0.1:{process.port}" for name, process in ports.items()}}

    def run(self, block, **variables):
        """(exit code, output) of one block."""
        done = subprocess.run(["bash", "-u", "-o", "pipefail", "-e", "-c", block], env=self.environment | variables, capture_output=True, text=True,
                              timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    def follow(self, page, part, **variables):
        """The output of one part; a command may fail, as it does for a person."""
        return "\n".join(self.run(block, **variables)[1] for block in blocks(page, part))


@pytest.fixture(scope="module")
def system(servers, tmp_path_factory):
    """A cluster, its three processes and its shop."""
    cluster = Cluster(servers.up(), tmp_path_factory.mktemp("runbooks"))
    processes = cluster.start("order", "inventory", "relay")
    yield cluster, processes, shop(processes)
    cluster.end()


@pytest.fixture(scope="module")
def known(system):
    """An order that went all the way to CONFIRMED, its SKU and its saga."""
    its = system[2]
    sku = its.new_sku(100)
    order = its.place_confirmed((sku, 1))["id"]
    return {"ORDER": order, "SKU": sku, "SAGA": its.sagas(order)["ORDER_FULFILMENT"]["id"]}


@pytest.fixture
def operator(system, tmp_path):
    return Operator(system[0], system[1], tmp_path, strict=False)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_runs(system, known, tmp_path, page):
    person = Operator(system[0], system[1], tmp_path, strict=True)
    for block in blocks(page):
        code, said = person.run(block, **known)
        assert code == 0, f"{page}: {block}\n{said}"


def test_the_relay_is_paused_and_the_page_finds_and_mends_it(system, operator, known):
    _, (_, _, relay), its = system
    relay.client().post("/api/relay/pause").expect(200)
    order = its.place((known["SKU"], 1))["id"]
    wait_until(lambda: relay.client().get("/api/relay/status").json()["backlog"] > 0, 20, "an event waiting")
    said = operator.follow("relay-does-not-process-events", "Look", **known)
    assert '"paused":true' in said and '"state":"UNPUBLISHED"' in said and order in said
    assert re.search(r"\| t$", said, re.MULTILINE), "a paused relay keeps its lease"
    operator.follow("relay-does-not-process-events", "Mend", **known)
    its.becomes(order, "CONFIRMED")


def test_kafka_is_away_and_the_page_of_the_relay_says_so(system, operator, known):
    cluster, (orders, _, relay), its = system
    cluster.servers.run("kill", "kafka")
    try:
        order = orders.client().post("/api/orders", order_body((known["SKU"], 1))).expect(201)["id"]
        wait_until(lambda: "lastError" in relay.client().get("/api/relay/status").json(), 30, "the relay missing Kafka")
        wait_until(lambda: relay.health()["components"]["bus"]["status"] == "DOWN", 30, "the health naming the bus")
        said = operator.follow("relay-does-not-process-events", "Look", **known)
        assert re.search(r'"bus":\{"status":"DOWN"', said) and "the bus does not take messages" in said
        assert '"state":"UNPUBLISHED"' in said and order in said
    finally:
        cluster.servers.up("kafka")
    its.becomes(order, "CONFIRMED", 60)


def test_inventory_is_gone_and_the_page_finds_it(system, operator, known):
    cluster, processes, its = system
    stock = processes[1]
    stock.kill()
    order = its.place((known["SKU"], 1))["id"]
    time_of_newest = wait_until(lambda: (lambda said: said if order in said else None)(operator.follow("inventory-does-not-respond", "Look", **known)),
                                30, "the order on its topic")
    assert "no answer from" in time_of_newest
    again = cluster.process("inventory").start()
    processes[1] = again
    its.becomes(order, "CONFIRMED", 60)
    said = Operator(cluster, processes, cluster.folder, strict=False).follow("inventory-does-not-respond", "Look", **known | {"SKU": "NOT-LOADED"})
    assert re.search(r'"unknown":\["NOT-LOADED"\]', said)


def test_the_order_service_hears_no_replies_and_the_page_finds_both_reasons(system, known):
    cluster, processes, its = system
    person = Operator(cluster, processes, cluster.folder, strict=False)
    orders, stock, _ = processes
    stock.client().post("/api/relay/pause").expect(200)
    order = its.place((known["SKU"], 1))["id"]
    wait_until(lambda: stock.client().get("/api/relay/status").json()["backlog"] > 0, 20, "a reply waiting")
    said = person.follow("order-hears-no-replies", "Look", **known)
    assert order in said and '"paused":true' in said
    person.follow("order-hears-no-replies", "Mend", **known)
    its.becomes(order, "CONFIRMED")
    # A reply that nobody can read.
    Topics(cluster.bus).write("INVENTORY_RESERVED", known["ORDER"], b"no JSON")
    wait_until(lambda: sum(orders.samples("trackops_bus_dead_letters_total").values()), 30, "a dead letter")
    said = person.follow("order-hears-no-replies", "Look", **known)
    assert re.search(r'^trackops_bus_dead_letters_total\{group="trackops-orders"\} 1$', said, re.MULTILINE)
    said = person.follow("dead-letters", "Look", **known)
    assert "INVENTORY_RESERVED.DLT" in said and "dlt-reason" in said and "no JSON" in said
