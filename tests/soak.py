#!/usr/bin/python3
"""Load with faults for as long as wanted, and the auditors of all replicas must stay silent: what they would say is a false alarm, or worse.

    tests/soak.py [--minutes 60] [--seed N]

Two replicas of each program on real servers. Every few seconds something ends, stands still or is away, and comes back. Meanwhile
`trackops verify` looks at the running system; at the end it looks at it at rest, and all is checked from outside, topics included.
"""
import argparse
import collections
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests")]

from cluster import BROKEN, Cluster, Servers, shop  # noqa: E402
from harness import NO_ANSWER  # noqa: E402
from shoppers import Crowd  # noqa: E402

SHOPPERS = 3
PAUSE = (3, 15)  # seconds between two faults
AWAY = (1, 12)  # seconds that a fault lasts; a session of a consumer lasts 10
VERIFY_EVERY = 300  # seconds
PLENTY, SCARCE = 100_000_000, 2_000


class Soak:
    def __init__(self, cluster, seed):
        self.cluster, self.chance = cluster, random.Random(seed)
        self.replicas = cluster.start("order", "order", "inventory", "inventory", "relay", "relay")
        self.faults = collections.Counter()
        self.passes = collections.Counter()  # most that were seen; a replica that starts again counts from 0
        its = shop(self.replicas)
        self.crowd = Crowd(seed, SHOPPERS, [its.new_sku(PLENTY), its.new_sku(PLENTY), its.new_sku(SCARCE)], self.order_ports)

    def order_ports(self):
        return [one.port for one in self.replicas if one.kind == "order" and one.process.poll() is None and one.port]

    def hurt(self):
        """One fault, from its beginning to its end."""
        away = self.chance.uniform(*AWAY)
        server = self.chance.choice(["postgres", "kafka", "redis", None, None, None])
        if server:
            how = self.chance.choice(["down", "kill"])
            self.faults[f"{server} {how}"] += 1
            self.cluster.servers.run(how, server)
            time.sleep(away)
            self.cluster.servers.up(server)
            return
        victim = self.chance.choice(self.replicas)
        how = self.chance.choice(["killed", "stopped", "stood still"])
        self.faults[f"{victim.kind} {how}"] += 1
        if how == "stood still":
            victim.signal(signal.SIGSTOP)
            time.sleep(away)
            victim.signal(signal.SIGCONT)
            return
        if how == "killed":
            victim.kill()
        else:
            assert victim.stop() == 0, f"{victim.kind} did not end well:\n{victim.log_tail()}"
        time.sleep(away)
        victim.start()

    def alarms(self):
        """Log lines of auditors, of the replicas that there are and that there were."""
        return [line for log in sorted(self.cluster.folder.glob("*.log")) for line in log.read_text(errors="replace").splitlines() if BROKEN in line]

    def verify(self, *more):
        done = self.cluster.verify(*more)
        assert done.returncode == 0, f"verify exits {done.returncode}:\n{done.stdout}{done.stderr}"

    def audited(self):
        """{"order": (passes, rows)} of the replicas that live now, by metric; a violation that is counted but not logged is one, too."""
        audited = collections.defaultdict(lambda: [0, 0])
        for one in self.replicas:
            try:
                counted = {invariant: count for invariant, count in one.violations().items() if count}
                for at, name in enumerate(("passes", "rows")):
                    audited[one.kind][at] += int(one.samples(f"trackops_audit_{name}_total").get("", 0))
            except NO_ANSWER:
                continue
            assert not counted, f"{one.kind}: {counted}"
        for kind in ("order", "inventory"):
            self.passes[kind] = max(self.passes[kind], audited[kind][0])
        return {kind: tuple(audited[kind]) for kind in ("order", "inventory")}

    def go_on(self, seconds):
        began = verified = told = time.monotonic()
        while (now := time.monotonic()) < began + seconds:
            assert not self.crowd.faults, self.crowd.faults[0]
            self.hurt()
            alarms = self.alarms()
            assert not alarms, "\n".join(alarms)
            if now > verified + VERIFY_EVERY:
                verified = now
                self.verify()
            if now > told + 60:
                told = now
                print(f"{(now - began) / 60:.0f} min: {self.crowd.placed()} orders promised, {self.faults.total()} faults, "
                      f"audited (passes, rows) {self.audited()}", flush=True)
            time.sleep(self.chance.uniform(*PAUSE))

    def finish(self):
        promised = self.crowd.finish()
        self.cluster.check(promised, within=120)
        self.verify("--at-rest")
        audited = self.audited()
        alarms = self.alarms()
        assert not alarms, "\n".join(alarms)
        assert all(self.passes.values()), f"an auditor never came to the end of a pass: {self.passes}"
        print(json.dumps({"orders": len(promised), "faults": self.faults, "audited": audited, "alarms": 0}, indent=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    print(f"--seed {given.seed}", flush=True)
    servers = Servers(pathlib.Path(tempfile.mkdtemp(prefix="trackops-soak-")))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trackops-soak-logs-"))
    try:
        cluster = Cluster(servers.up(), folder)
        try:
            soak = Soak(cluster, given.seed)
            soak.go_on(given.minutes * 60)
            soak.finish()
        finally:
            cluster.end()
    except BaseException:
        print(f"logs: {folder}", file=sys.stderr)
        raise
    finally:
        servers.run("wipe")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
