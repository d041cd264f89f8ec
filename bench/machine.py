"""What the benches stand on: private servers, the product's processes, load, and what the machine spent."""
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(os.environ.get("TRACKOPS_BENCH_BIN", ROOT / "build/release/bin"))
FLOORS = ROOT / "bench/floors"
LOAD = ROOT / "bench/load"
PG_BIN = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), default=pathlib.Path("/usr/bin"), key=lambda path: int(path.parent.name))
TICK = os.sysconf("SC_CLK_TCK")

os.environ["TRACKOPS_TEST_BIN"] = str(PROGRAMS / "trackops")  # read by the tests' cluster
sys.path += [str(ROOT / "tests"), str(ROOT / "tests/e2e")]
import cluster  # noqa: E402
from databases import Database, psql  # noqa: E402


class Wrong(Exception):
    """What was measured is not what was promised: no ratio comes of it."""


def call(*words, **more):
    """What a program printed. Its failure ends the run with what it said."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd="/", check=False, **more)
    if done.returncode != 0:
        raise Wrong(f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


def cpu_seconds(pid):
    """Of a process, its living children and those that it has waited for."""
    children, spent = {}, {}
    for name in os.listdir("/proc"):
        try:
            fields = pathlib.Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split() if name.isdigit() else None
        except OSError:
            continue
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
            spent[int(name)] = sum(map(int, fields[11:15])) / TICK
    total, left = 0, [pid]
    while left:
        each = left.pop()
        total += spent.get(each, 0)
        left += children.get(each, [])
    return total


class Machine(cluster.Servers):
    """Servers of this run's own, as they come out of the box: every commit waits for the disk."""

    def __init__(self, folder, postgres_settings=""):
        self.folder = folder
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("TRACKOPS_TEST_")}
        self.environment |= {"TRACKOPS_TEST_SERVERS": str(folder / "servers"), "TRACKOPS_TEST_POSTGRES_SETTINGS": postgres_settings}
        (folder / "servers").mkdir()
        folder.chmod(0o755)
        (folder / "servers").chmod(0o755)

    def urls(self):
        """Of those that were ever started."""
        there = [name for name in ("postgres", "redis", "kafka") if (self.folder / "servers" / name).exists()]
        return {name.lower(): url for name, url in re.findall(r"TRACKOPS_TEST_(\w+)=(\S+)", self.run("env", *there))}

    def pid(self, name):
        return int(self.run("pid", name))

    def postgres(self, database="postgres"):
        return self.urls()["postgres"].rsplit("/", 1)[0] + "/" + database

    def settle(self):
        """No work is left over from the case before."""
        psql(self.postgres(), "CHECKPOINT")

    def system(self, *kinds, **settings):
        """The product's services on databases and topics of their own, ready."""
        settings["relay"] = {"SOURCE": "poll"} | settings.get("relay", {})  # the product's default
        made = System(self, pathlib.Path(tempfile.mkdtemp(dir=self.folder)), **settings)
        try:
            made.start(*kinds)
            self.settle()
            return made
        except BaseException:
            made.end()
            raise

    def floor_database(self):
        psql(self.postgres(), "DROP DATABASE IF EXISTS floors WITH (FORCE)")
        psql(self.postgres(), "CREATE DATABASE floors")
        call("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f", FLOORS / "schema.sql", self.postgres("floors"))
        return self.postgres("floors")

    def pgbench(self, script, clients, seconds):
        """{"per_s", "p50_ms", "p99_ms"} of a floor's script."""
        url = self.floor_database()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            text = call(PG_BIN / "pgbench", "-n", "-M", "prepared", "-f", FLOORS / script, "-c", clients, "-j", min(2, clients),
                        "-T", max(1, round(seconds)), "-l", f"--log-prefix={folder}/log", url)
            taken = sorted(int(line.split()[2]) for file in pathlib.Path(folder).iterdir() for line in file.read_text().splitlines())
        rate = next(line for line in text.splitlines() if line.startswith("tps ="))
        return {"per_s": float(rate.split()[2]), "p50_ms": taken[len(taken) // 2] / 1e3, "p99_ms": taken[len(taken) * 99 // 100] / 1e3}

    def batches(self, what, batch, connections, seconds):
        return rate_of(call(PROGRAMS / "bench_floor_postgres", what, self.floor_database(), batch, connections, seconds))


class System(cluster.Cluster):
    """The tests' cluster, and what a bench asks it."""

    def of(self, kind):
        return next(process for process in self.processes if process.kind == kind)

    def url(self, kind, path=""):
        return f"http://127.0.0.1:{self.of(kind).port}{path}"

    def metric(self, kind, name, **labels):
        """The sum over all rows of that name which carry these labels."""
        text = self.of(kind).client().get("/actuator/prometheus").body.decode()
        rows = re.findall(rf"^{name}(?:{{(.*?)}})? (\S+)$", text, re.MULTILINE)
        return sum(float(value) for row, value in rows if all(f'{key}="{word}"' in row for key, word in labels.items()))

    def orders(self, query):
        return Database(self.order_database).rows(query)

    def inventory(self, query):
        return Database(self.inventory_database).rows(query)

    def stock(self):
        """The thousand SKUs of place.lua, more of each than can be asked for."""
        lines = "".join(json.dumps({"sku": f"SKU-{i}", "name": f"Thing {i}", "onHand": 100_000_000}) + "\n" for i in range(1000))
        call(PROGRAMS / "trackops", "load", "-", "--items", "--inventory-url", self.url("inventory"), input=lines)
        psql(self.inventory_database, "ANALYZE")

    def place(self, clients, seconds, path="/api/orders"):
        """Orders over HTTP in a closed loop."""
        return wrk(self.url("order", path), clients, seconds, "place.lua", time.time_ns() % 2**31)


def wrk(url, clients, seconds, script, *arguments):
    """{"per_s", "p50_ms", "p99_ms", "done", ...}. Any answer but a success is a fault."""
    text = call("wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "10s", "-s", LOAD / script, url, "--", *arguments)
    report = json.loads(text.splitlines()[-1])
    if report["refused"] or report["broken"] or not report["done"]:
        raise Wrong(f"{url}: {report['done']} answered, {report['refused']} refused, {report['broken']} broken")
    return {"per_s": report["done"] / report["seconds"]} | {name: report[name] for name in ("p50_ms", "p99_ms", "done")}


def rate_of(line):
    """What the C++ programs print."""
    figures = json.loads(line)
    return {"per_s": figures["rate"]} | {name: figures[name] for name in ("p50_ms", "p99_ms") if name in figures}


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values):
    return statistics.median(values)
