#!/usr/bin/python3
"""The metrics of the three services: promtool has nothing to say, OpenMetrics is what its specification says, and a Prometheus keeps both."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_families

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests")]

from cluster import KINDS, Cluster, Servers, shop  # noqa: E402
from harness import NO_ANSWER, Client, order_body, wait_until  # noqa: E402

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
START_TIMEOUT = 60  # seconds


def scraped(process, accept):
    return process.client().get("/actuator/prometheus", {"Accept": accept})


def check_plain(process):
    text = scraped(process, "text/plain").body
    lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60, check=False)
    said = (lint.stdout + lint.stderr).decode()
    assert (lint.returncode, said) == (0, ""), f"{process.kind}: promtool says {said}"
    return {family.name: family for family in plain_families(text.decode())}


def check_openmetrics(process, plain):
    answer = scraped(process, "application/openmetrics-text")
    assert answer.headers["content-type"] == OPENMETRICS
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(answer.body.decode())}
    assert families.keys() == plain.keys(), families.keys() ^ plain.keys()
    for name, family in families.items():
        other = plain[name]
        assert (family.type, family.documentation) == (other.type, other.documentation), name
        assert {(one.name, tuple(sorted(one.labels))) for one in family.samples} == {(one.name, tuple(sorted(one.labels))) for one in other.samples}, name
    traced = [one for family in families.values() for one in family.samples if one.exemplar]
    assert any(one.exemplar.labels == {"trace_id": TRACE} for one in traced), f"{process.kind}: no exemplar"
    return len(families), sum(len(family.samples) for family in families.values())


class Prometheus:
    """A real one, which scrapes the processes each second."""

    def __init__(self, folder, processes):
        targets = [{"targets": [f"127.0.0.1:{process.port}"], "labels": {"service": KINDS[process.kind]}} for process in processes]
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                  "scrape_configs": [{"job_name": "trackops", "metrics_path": "/actuator/prometheus", "static_configs": targets}]}
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        self.log = folder / "prometheus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb", "--web.listen-address=127.0.0.1:0",
                 "--enable-feature=exemplar-storage", "--log.level=debug"], stdout=log, stderr=subprocess.STDOUT)

        def listens():
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return re.search(r'"Listening on" address=127\.0\.0\.1:(\d+)', self.log.read_text())
        self.port = int(wait_until(listens, START_TIMEOUT, "Prometheus being ready")[1])

    def ask(self, path, **query):
        try:
            answer = Client(self.port).get(f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
        except NO_ANSWER:
            return []
        return answer.json()["data"] if answer.status == 200 else []

    def value(self, query):
        found = self.ask("query", query=query)
        return float(found["result"][0]["value"][1]) if found and found["result"] else None

    def becomes(self, query, value):
        wait_until(lambda: self.value(query) == value, START_TIMEOUT, f"{query} being {value}")

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def trade(processes):
    """Orders with each outcome, and a request of a sampled trace to each service."""
    its = shop(processes)
    sku = its.new_sku(3)
    for _ in range(2):
        its.place_confirmed((sku, 1))
    refused = its.place((sku, 50))["id"]
    its.becomes(refused, "CANCELLED")
    orders = next(process for process in processes if process.kind == "order").client()
    body = order_body((sku, 1))
    for _ in range(2):  # the second one is replayed, and does not count
        orders.post("/api/orders", body, {"Idempotency-Key": "once"}).expect(201)
    for process in processes:
        process.client().get("/actuator/info", {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}).expect(200)


def check_prometheus(prometheus):
    prometheus.becomes("sum(up)", len(KINDS))
    prometheus.becomes("trackops_orders_placed_total", 4)
    prometheus.becomes("trackops_orders_confirmed_total", 3)
    prometheus.becomes('trackops_orders_cancelled_total{reason="OUT_OF_STOCK"}', 1)
    prometheus.becomes("trackops_order_confirmation_seconds_count", 3)
    prometheus.becomes('sum(trackops_reservations_total{outcome="reserved"}) / sum(trackops_reservations_total)', 0.75)
    prometheus.becomes('trackops_stock_units{state="available"}', 0)
    prometheus.becomes("trackops_stock_items_out", 1)
    prometheus.becomes('sum(trackops_sagas{status="RUNNING"})', 0)
    prometheus.becomes("sum(trackops_relay_backlog_events)", 0)
    now = time.time()
    kept = prometheus.ask("query_exemplars", query="http_server_requests_seconds_bucket", start=now - 3600, end=now + 60)
    traces = {one["labels"]["trace_id"] for series in kept for one in series["exemplars"]}
    assert TRACE in traces, kept
    faults = [line for line in prometheus.log.read_text().splitlines() if re.search("level=(warn|error)|append failed|out of order", line)]
    assert not faults, faults[:5]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trackops-scrape-"))
    servers = Servers(pathlib.Path(tempfile.mkdtemp(prefix="trackops-servers-"))).up()
    cluster = Cluster(servers, folder)
    prometheus = None
    try:
        processes = cluster.start(*KINDS)
        trade(processes)
        for process in processes:
            families, samples = check_openmetrics(process, check_plain(process))
            print(f"{KINDS[process.kind]}: {families} metrics, {samples} samples, in both formats; promtool says nothing")
        prometheus = Prometheus(folder, processes)
        check_prometheus(prometheus)
        print("Prometheus scrapes all three and keeps their exemplars")
    finally:
        if prometheus:
            prometheus.end()
        cluster.end()
        servers.run("wipe")
    print("metrics: passed")


if __name__ == "__main__":
    main()
