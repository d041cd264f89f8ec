"""The three programs as processes on real servers, and ways to hurt both."""
import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.parse
import uuid

from check_stock import settled
from check_system import check_system
from databases import psql
from harness import PROGRAM, ROOT, START_TIMEOUT, Client, Shop, wait_until

BROKEN = "an invariant is broken"  # what an auditor logs
KINDS = {"order": "order-service", "inventory": "inventory-service", "relay": "event-relay-service"}


class Servers:
    """PostgreSQL, Redis and Kafka of the tests' own, which may be stopped and killed."""

    def __init__(self, folder):
        self.environment = os.environ | {"TRACKOPS_TEST_SERVERS": str(folder), "TRACKOPS_TEST_POSTGRES_SETTINGS": "fsync=off"}
        folder.chmod(0o755)

    def run(self, verb, *names):
        done = subprocess.run([ROOT / "servers/run", verb, *names], env=self.environment, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, f"servers/run {verb} {names}: {done.stderr}{done.stdout}"
        return done.stdout

    def up(self, *names):
        self.run("up", *names)
        return self

    def urls(self):
        """{"postgres": ..., "redis": ..., "kafka": ...}"""
        return {name.lower(): url for name, url in re.findall(r"TRACKOPS_TEST_(\w+)=(\S+)", self.run("env"))}


class Process:
    """One replica of one program; may be ended and started again."""

    def __init__(self, kind, folder, environment):
        self.kind, self.folder, self.environment = kind, folder, environment
        self.process, self.port, self.starts = None, None, 0

    def spawn(self):
        self.starts += 1
        with open(self.log, "wb") as log:
            program = pathlib.Path(PROGRAM).with_name(KINDS[self.kind])
            self.process = subprocess.Popen([program, "--port", "0"], stdout=log, stderr=subprocess.STDOUT, env=self.environment, cwd=self.folder)
        return self

    @property
    def log(self):
        return self.folder / f"{self.kind}.{id(self)}.{self.starts}.log"

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, f"{self.kind} ended with {self.process.returncode}:\n{self.log_tail()}"
            return re.search(r'^\{"ready":true,"ports":(.*)\}$', self.log.read_text(errors="replace"), re.MULTILINE)
        try:
            self.port = next(iter(json.loads(wait_until(ready, START_TIMEOUT, f"{self.kind} being ready")[1]).values()))
        except AssertionError as failure:
            raise AssertionError(f"{failure}\n{self.log_tail()}") from None
        return self

    def start(self):
        return self.spawn().wait_ready()

    def client(self):
        return Client(self.port)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=30):
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def end(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()

    def samples(self, name):
        """{labels: value} of one metric."""
        text = self.client().get("/actuator/prometheus").body.decode()
        return {labels: float(value) for labels, value in re.findall(rf"^{name}(?:\{{(.*?)\}})? (\S+)$", text, re.MULTILINE)}

    def violations(self):
        """{invariant: violations} that its auditor counted."""
        return {re.search('invariant="(.*?)"', labels)[1]: value for labels, value in self.samples("trackops_invariant_violations_total").items()}

    def health(self):
        return self.client().get("/actuator/health").json()

    def log_tail(self):
        return self.log.read_text(errors="replace")[-3000:]

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024


class Cluster:
    """Databases, topics and groups of its own on the servers, and the processes on them."""

    def __init__(self, servers, folder, **settings):
        self.servers, self.folder, self.settings = servers, folder, settings
        self.urls = servers.urls()
        name = "e" + uuid.uuid4().hex[:10]
        self.names = {"order": name + "_trackops", "inventory": name + "_inventory"}
        for database in self.names.values():
            psql(self.urls["postgres"], f"CREATE DATABASE {database}")
            psql(self.database(database), (ROOT / "servers/roles.sql").read_text())
        self.order_database, self.inventory_database = (self.database(database) for database in self.names.values())
        self.bus = f"{self.urls['kafka']}?prefix={name}."
        self.processes = []

    def database(self, name, role=None):
        """As the superuser, or with the rights of a role."""
        parts = urllib.parse.urlsplit(self.urls["postgres"])
        user = f"{name}_{role}" if role else parts.username
        return parts._replace(netloc=f"{user}@{parts.hostname}:{parts.port}", path="/" + name).geturl()

    def process(self, kind, **settings):
        """Not started yet. A setting that is None is left to the program. OTEL_* are variables of their own, all others settings of ours."""
        name = self.names["inventory" if kind == "inventory" else "order"]
        ours = {"BUS_URL": self.bus, "DATABASE_URL": self.database(name, "relay" if kind == "relay" else "service")}
        if kind == "relay":
            ours["SOURCE"] = "wal"  # inventory's own relay polls: faults meet both sources
        else:
            ours["MIGRATION_URL"] = self.database(name, "owner")
        if kind == "inventory":
            ours["RELAY_DATABASE_URL"] = self.database(name, "relay")
        if kind == "order":
            ours["CACHE_URL"] = self.urls["redis"]
        ours |= self.settings.get(kind, {}) | settings
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKOPS_", "OTEL_"))}
        given = {name if name.startswith("OTEL_") else f"TRACKOPS_{name}": str(value) for name, value in ours.items() if value is not None}
        process = Process(kind, self.folder, environment | given)
        self.processes.append(process)
        return process

    def start(self, *kinds):
        """Started together, as an operator would."""
        started = [self.process(kind).spawn() for kind in kinds]
        for process in started:
            process.wait_ready()
        return started

    def check(self, acknowledged=(), within=60):
        """At rest within so many seconds, and nothing lost, doubled, oversold or out of order."""
        figures, faults = settled(lambda: check_system(self.order_database, self.inventory_database, self.bus, acknowledged), within)
        print("\n".join(figures))
        assert not faults, "\n".join([*faults, *(self.evidence() if faults else [])])

    def evidence(self):
        """What the reader of a failure needs to see of the order database, which is gone by then: the first events of the outbox and the relay's place."""
        for query in ("SELECT * FROM relay.checkpoint", "SELECT * FROM relay.parked_events",
                      "SELECT slot_name, active, restart_lsn, confirmed_flush_lsn, catalog_xmin FROM pg_replication_slots WHERE database = current_database()",
                      "SELECT position, xid, event_id, aggregate_id, type, sequence, occurred_at FROM outbox_events ORDER BY position LIMIT 200"):
            yield subprocess.run(["psql", self.order_database, "-c", query], capture_output=True, text=True, timeout=60, check=False).stdout

    def verify(self, *more):
        """`trackops verify`, ended."""
        return subprocess.run([PROGRAM, "verify", f"--order-database={self.order_database}", f"--inventory-database={self.inventory_database}", *more],
                              capture_output=True, text=True, timeout=120, check=False)

    def end(self):
        for process in self.processes:
            process.end()
        for name in self.names.values():
            slots = f"FROM pg_replication_slots WHERE database = '{name}'"  # the server may not have heard yet that its reader is gone
            psql(self.urls["postgres"], f"SELECT pg_terminate_backend(active_pid, 30000) {slots} AND active")
            psql(self.urls["postgres"], f"SELECT pg_drop_replication_slot(slot_name) {slots}")
            psql(self.urls["postgres"], f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            for role in ("owner", "service", "relay"):
                psql(self.urls["postgres"], f"DROP ROLE IF EXISTS {name}_{role}")


class Ports:
    """What a Shop needs to know: where the first living replica of each kind answers."""

    def __init__(self, processes):
        self.ports = {}
        for process in processes:
            self.ports.setdefault(process.kind, process.port)

    def client(self, service="order"):
        return Client(self.ports[service])


def shop(processes):
    return Shop(Ports(processes))
