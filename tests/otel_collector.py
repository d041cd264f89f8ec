"""The flow of tests/e2e/test_traces.py against a real OpenTelemetry Collector, whose file exporter writes what it has understood.
Exits 1 when the trace of an order, or the line of a refusal, is not in its files.  otel_collector.py PATH_OF_OTELCOL"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT / "e2e")]

from cluster import Cluster, Servers, shop  # noqa: E402
from harness import Client, order_body, wait_until  # noqa: E402
from otlp_sink import Line, Span, attributes_of  # noqa: E402
from test_services import free_ports  # noqa: E402
from traces import CONFIRMED, Caller, assert_tells_the_order  # noqa: E402

CONFIGURATION = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:{port}}}}}}}}}
exporters:
  file/traces: {{path: {folder}/traces.jsonl, flush_interval: 100ms}}
  file/logs: {{path: {folder}/logs.jsonl, flush_interval: 100ms}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [file/traces]}}
    logs: {{receivers: [otlp], exporters: [file/logs]}}
"""


class Collector:
    def __init__(self, program, folder):
        self.folder, self.port = folder, free_ports(1)[0]
        (folder / "otel.yaml").write_text(CONFIGURATION.format(port=self.port, folder=folder))
        with open(folder / "otelcol.log", "wb") as log:
            self.process = subprocess.Popen([program, "--config", folder / "otel.yaml"], stdout=log, stderr=subprocess.STDOUT)
        wait_until(self.answers, 30, "the Collector being ready")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "otelcol.log").read_text()
        try:
            return Client(self.port).post("/v1/traces", {"resourceSpans": []}).status == 200
        except OSError:
            return False

    def items(self, file, outer, inner, items, kind):
        path = self.folder / file
        found = []
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                groups = json.loads(line)[outer]
            except json.JSONDecodeError:
                continue  # the last line is being written
            for group in groups:
                resource = attributes_of(group["resource"])
                found += [kind(resource, item | {"attributes": item.get("attributes", [])}) for scope in group[inner] for item in scope[items]]
        return found

    def spans(self, trace):
        return [span for span in self.items("traces.jsonl", "resourceSpans", "scopeSpans", "spans", Span) if span.trace == trace]

    def lines(self, trace):
        return [line for line in self.items("logs.jsonl", "resourceLogs", "scopeLogs", "logRecords", Line) if line.trace == trace]

    def end(self):
        self.process.terminate()
        self.process.wait(30)


def run(collector, servers, folder):
    ours = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}", "OTEL_LOGS_EXPORTER": "otlp", "OTEL_BSP_SCHEDULE_DELAY": 100}
    cluster = Cluster(servers.up(), folder, order=ours, inventory=ours, relay=ours)
    try:
        cluster.start("order", "inventory", "relay")
        its = shop(cluster.processes)
        sku, caller = its.new_sku(10), Caller()
        order = its.orders.post("/api/orders?wait=confirmed", order_body((sku, 1)), caller.headers).expect(201)
        wait_until(lambda: len(collector.spans(caller.trace)) >= len(CONFIRMED), 30, "the whole trace in the Collector's file")
        assert_tells_the_order(collector.spans(caller.trace), caller, order)
        print(f"{len(CONFIRMED)} spans of one order, as they were sent")
        for process in cluster.processes:
            refused = Caller()
            process.client().get("/api/nothing/of/this/name", refused.headers).problem(404, "not-found")
            lines = wait_until(lambda refused=refused: collector.lines(refused.trace), 30, f"a line of {process.kind}")
            print(f"{lines[0].service}: {lines[0].severity} {lines[0].message}")
        for process in cluster.processes:
            assert sum(process.samples("trackops_traces_dropped_total").values()) == 0
            assert process.stop() == 0
    finally:
        cluster.end()


def main():
    with tempfile.TemporaryDirectory(prefix="trackops-otel-") as name:
        folder = pathlib.Path(name)
        servers = Servers(pathlib.Path(tempfile.mkdtemp(prefix="trackops-servers-"))).up()
        try:
            collector = Collector(sys.argv[1], folder)
            try:
                run(collector, servers, folder)
            finally:
                collector.end()
        finally:
            servers.run("wipe")


if __name__ == "__main__":
    main()
