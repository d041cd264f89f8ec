"""The programs in examples/, run as their README says against a program of the test's own."""
import importlib.util
import json
import os
import random
import subprocess
import sys
import uuid

import confluent_kafka
import confluent_kafka.admin
import pytest

from harness import ROOT, Shop, wait_until
from programs import lend

EXAMPLES = ROOT / "examples"
COMMANDS = {"order.sh": ["bash"], "order.py": [sys.executable], "order.mjs": ["node"], "Order.java": ["java"]}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    for its in lend("sqlite", tmp_path_factory):
        yield its.start()


def test_every_example_is_run():
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix != ".md" and path.is_file()} == COMMANDS.keys() | {"consume.py"}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_example_brings_an_order_to_its_end(program, name):
    urls = {"ORDER_URL": f"http://127.0.0.1:{program.ports['order']}", "INVENTORY_URL": f"http://127.0.0.1:{program.ports['inventory']}"}
    done = subprocess.run([*COMMANDS[name], EXAMPLES / name], env=os.environ | urls, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    *states, last = done.stdout.split("\n")[:-1]
    assert states == ["PROCESSING", "SHIPPED", "DELIVERED"]
    order = program.client().get(f"/api/orders/{last.removeprefix('order ')}").expect(200)
    assert order["status"] == "DELIVERED" and order["shipment"]["trackingNumber"] == "RM123456785GB"


def test_an_example_tells_that_there_is_no_stock(program):
    """It ends with a fault instead of going on with an order that was refused."""
    its = Shop(program)
    available = its.inventory.get("/api/inventory/availability?sku=SHELL-1").expect(200)["items"]
    if not available:
        its.inventory.post("/api/inventory/items", {"sku": "SHELL-1", "name": "Hanging heart"}).expect(201)
    elif available[0]["available"] > 0:
        its.inventory.post("/api/inventory/items/SHELL-1/adjustments", {"delta": -available[0]["available"], "reason": "LOSS"},
                           {"Idempotency-Key": uuid.uuid4().hex}).expect(200)
    urls = {"ORDER_URL": f"http://127.0.0.1:{program.ports['order']}", "INVENTORY_URL": f"http://127.0.0.1:{program.ports['inventory']}"}
    done = subprocess.run([sys.executable, EXAMPLES / "order.py"], env=os.environ | urls, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and "CANCELLED OUT_OF_STOCK" in done.stderr and done.stdout == ""


def consume():
    spec = importlib.util.spec_from_file_location("consume", EXAMPLES / "consume.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_consumer_restores_the_order_of_events():
    chance, seen = random.Random(7), []
    in_order = consume().InOrder(lambda order, source, sequence, event: seen.append((order, source, sequence, event)))
    wanted = [(order, source, sequence, f"{order}{source}{sequence}") for order in "abc" for source in "xy" for sequence in range(1, 8)]
    sent = wanted + chance.sample(wanted, 20)  # some come twice
    chance.shuffle(sent)
    for message in sent:
        in_order.put(*message)
    assert sorted(seen) == wanted
    for order in "abc":
        for source in "xy":
            assert [row[2] for row in seen if row[:2] == (order, source)] == list(range(1, 8))
    assert in_order.count == 0 and not in_order.waiting


def test_the_consumer_reads_kafka_across_topics(tmp_path):
    """Two events of one order, the later one in the topic that is read first."""
    module, brokers = consume(), os.environ["TRACKOPS_TEST_KAFKA"].removeprefix("kafka://")
    prefix, order = f"e{uuid.uuid4().hex[:10]}.", str(uuid.uuid4())
    topics = [confluent_kafka.admin.NewTopic(prefix + topic, 1, 1) for topic in module.TOPICS]
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": brokers})
    for made in admin.create_topics(topics).values():
        made.result(30)
    producer = confluent_kafka.Producer({"bootstrap.servers": brokers})
    steps = (("ORDER_DELIVERED", 3, {}), ("ORDER_STATUS_UPDATED", 2, {"newStatus": "SHIPPED"}), ("ORDER_CREATED", 1, {}), ("ORDER_CREATED", 1, {}))
    for topic, sequence, data in steps:
        headers = {"ce_source": "/trackops/orders", "ce_sequence": str(sequence), "ce_type": topic}
        producer.produce(prefix + topic, json.dumps({"orderId": order} | data), order, headers=headers)
        producer.flush(30)
    output = tmp_path / "output"
    with open(output, "wb") as told:
        process = subprocess.Popen([sys.executable, EXAMPLES / "consume.py"], stdout=told, stderr=subprocess.STDOUT,
                                   env=os.environ | {"BUS": brokers, "PREFIX": prefix, "GROUP": prefix})
    try:
        lines = wait_until(lambda: (lambda read: read if len(read) >= 3 else None)(output.read_text().splitlines()), 60, "three events")
    finally:
        process.terminate()
        process.wait()
    assert lines == [f"{order} orders 1 ORDER_CREATED ", f"{order} orders 2 ORDER_STATUS_UPDATED SHIPPED", f"{order} orders 3 ORDER_DELIVERED "]
