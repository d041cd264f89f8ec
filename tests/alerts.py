#!/usr/bin/python3
"""Prometheus and Alertmanager watch the three programs on real servers: silence while all is well, alerts raised by a fault and ended by its
repair, and data in every query of rules and dashboards. Runs all of it, then tells what was wrong. Time runs 15 times faster: tests/monitoring.py."""
import argparse
import contextlib
import math
import pathlib
import random
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "e2e"), str(HERE)]

import promql  # noqa: E402
from cluster import KINDS, Cluster, Servers, shop  # noqa: E402
from databases import psql  # noqa: E402
from harness import NO_ANSWER, wait_until  # noqa: E402
from monitoring import FASTER, Monitoring  # noqa: E402
from topics import Topics  # noqa: E402

RATE_INTERVAL = "20s"
FIRES_WITHIN = 120  # seconds; far above what a rule's `for` takes in the faster time
ENDS_WITHIN = 3600 / FASTER + 120  # the longest window of the six is an hour
PAUSE = 0.5  # seconds, of what is done again and again
WRITE_MUCH = "SELECT pg_logical_emit_message(false, 'load', repeat('x', 1000000)) FROM generate_series(1, 40)"  # 40 MB


@contextlib.contextmanager
def repeated(work):
    """Does the work again and again, on a thread of its own, for as long as the block lasts."""
    is_over = threading.Event()

    def run():
        while not is_over.wait(PAUSE):
            work()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


class Load:
    """A few orders a second, with reads of each; some for more than there is, some cancelled. Runs on a thread of its own until it is ended."""

    def __init__(self, processes, rate):
        self.shop, self.rate, self.is_over, self.placed, self.failed = shop(processes), rate, threading.Event(), 0, 0
        self.sku = self.shop.new_sku(1_000_000)
        self.rare = self.shop.new_sku(1)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.is_over.wait(1 / self.rate):
            try:
                order = self.shop.place((self.rare if random.random() < 0.1 else self.sku, random.randint(1, 3)))["id"]
                self.placed += 1
                self.shop.order(order)
                self.shop.orders.get("/api/orders?limit=10").expect(200)
                if random.random() < 0.1:
                    self.shop.change(order, "cancel")
            except (AssertionError, *NO_ANSWER):
                self.failed += 1

    def end(self):
        self.is_over.set()
        self.thread.join()


class Area:
    def __init__(self, folder, quiet):
        self.quiet = quiet
        self.servers = Servers(pathlib.Path(tempfile.mkdtemp(prefix="trackops-servers-")))
        self.servers.up()
        self.cluster = Cluster(self.servers, folder)
        self.processes = dict(zip(KINDS, self.cluster.start(*KINDS)))
        self.monitoring = Monitoring(folder, self.ports())
        self.faults = []  # what was wrong
        self.measured = []  # (alert, seconds until it fired, seconds until it ended)

    def ports(self):
        return {KINDS[kind]: process.port for kind, process in self.processes.items()}

    def end(self):
        self.monitoring.end()
        self.cluster.end()
        self.servers.run("wipe")

    def wrong(self, what):
        if what not in self.faults:
            print(f"WRONG: {what}", flush=True)
            self.faults.append(what)

    def attempt(self, step):
        print(f"-- {step.__name__.strip('_').replace('_', ' ')}", flush=True)
        try:
            step()
        except (AssertionError, RuntimeError, *NO_ANSWER) as failure:
            self.wrong(f"{step.__name__}: {failure}")

    def becomes(self, name, is_wanted, within, **labels):
        """Seconds until Alertmanager has the alert, or has it no more."""
        began = time.monotonic()
        wait_until(lambda: time.sleep(0.2) or self.monitoring.is_active(name, **labels) == is_wanted, within,
                   f"{name} being {'active' if is_wanted else 'over'}")
        return time.monotonic() - began

    def fires(self, name, within=FIRES_WITHIN, **labels):
        took = self.becomes(name, True, within, **labels)
        print(f"{name} fired after {took:.1f} s", flush=True)
        return took

    def ends(self, name, fired, **labels):
        took = self.becomes(name, False, ENDS_WITHIN, **labels)
        print(f"{name} ended {took:.1f} s after the repair", flush=True)
        self.measured.append((name, fired, took))

    # Steps

    def silence_while_all_is_well(self):
        # Prometheus needs five seconds to know its targets, whatever the speed of its rules.
        wait_until(lambda: time.sleep(0.2) or len(self.monitoring.query('up{job!="node"} == 1')) == len(KINDS), 60, "Prometheus knowing the programs")
        wait_until(lambda: time.sleep(0.2) or not self.monitoring.alerts(), 60, "no alert")
        time.sleep(2)  # two evaluations later nothing is left of the first ones
        began = time.time()
        for is_busy in (False, True, False, True, False):
            load = Load(list(self.processes.values()), rate=5) if is_busy else None
            time.sleep(self.quiet / 5)  # nothing to wait for: nothing shall happen
            if load:
                self.monitoring_has_data()
                load.end()
                print(f"{load.placed} orders placed, {load.failed} failed", flush=True)
        window = f"{math.ceil(time.time() - began)}s"
        for labels, _ in self.monitoring.query(f'max_over_time(ALERTS{{alertstate="firing"}}[{window}])'):
            self.wrong(f"{labels['alertname']} fired while all was well: {labels}")
        for alert in self.monitoring.alerts():
            self.wrong(f"Alertmanager had {alert['labels']} while all was well")

    def monitoring_has_data(self):
        """Every metric of the rules and every query of the dashboards, while there is load."""
        missing = {metric for rule in promql.rules() for metric, _ in promql.selectors(rule["expr"]) if not self.monitoring.query(f"count({metric})")}
        for metric in sorted(missing):
            self.wrong(f"a rule asks for {metric}, which Prometheus does not have")
        asked = 0
        for file in promql.DASHBOARDS:
            for title, expression in promql.queries(file):
                asked += 1
                values = self.monitoring.query(promql.filled_in(expression, RATE_INTERVAL))
                if not any(math.isfinite(value) for _, value in values):
                    self.wrong(f"{file.stem}: the panel '{title}' has no data: {expression}")
        print(f"{asked} queries of {len(promql.DASHBOARDS)} dashboards asked", flush=True)

    def invariant_broken_and_dead_letters(self):
        its = shop(self.processes.values())
        sku = its.new_sku(10)
        order = its.place_confirmed((sku, 1))["id"]
        Topics(self.cluster.bus).write("INVENTORY_RESERVED", order, b"no JSON")
        letters = self.fires("TrackOpsDeadLetters", group="trackops-orders")
        self.ends("TrackOpsDeadLetters", letters)
        psql(self.cluster.inventory_database, f"UPDATE inventory_items SET reserved = reserved + 1 WHERE sku = '{sku}'")
        broken = self.fires("TrackOpsInvariantBroken", invariant="reservations_account_for_stock")
        psql(self.cluster.inventory_database, f"UPDATE inventory_items SET reserved = reserved - 1 WHERE sku = '{sku}'")
        self.ends("TrackOpsInvariantBroken", broken)

    def relay_stalled(self):
        """Another holder renews the lease and publishes nothing."""
        def renew():
            psql(self.cluster.order_database, "INSERT INTO relay.lease VALUES (1, 'nobody', now() + interval '4 seconds') "
                 "ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at")
        with repeated(renew):
            fired = self.fires("TrackOpsRelayStalled", source="/trackops/orders")
        psql(self.cluster.order_database, "DELETE FROM relay.lease WHERE holder = 'nobody'")
        self.ends("TrackOpsRelayStalled", fired)

    def slot_lag_and_backlog_age(self):
        """A paused relay, while the server writes much."""
        its = shop(self.processes.values())
        sku = its.new_sku(10)
        self.processes["relay"].client().post("/api/relay/pause").expect(200)
        order = its.place((sku, 1))["id"]
        began = time.monotonic()
        try:
            with repeated(lambda: psql(self.cluster.order_database, WRITE_MUCH)):
                lag = self.fires("TrackOpsSlotLag", within=300)  # BacklogAge takes as long
        finally:
            kept = self.monitoring.query("max(trackops_relay_slot_retained_bytes)")[0][1]
            print(f"the slot kept {kept / 1e6:.0f} MB after {time.monotonic() - began:.0f} s", flush=True)
        self.fires("TrackOpsBacklogAge", within=420, source="/trackops/orders")
        age = time.monotonic() - began
        self.processes["relay"].client().post("/api/relay/resume").expect(200)
        self.ends("TrackOpsBacklogAge", age)
        self.ends("TrackOpsSlotLag", lag)
        shop(self.processes.values()).becomes(order, "CONFIRMED")  # the connections of before were idle for too long

    def a_service_that_is_down_silences_its_other_alerts(self):
        job = KINDS["relay"]
        self.processes["relay"].kill()
        fired = self.fires("TrackOpsServiceDown", job=job)
        wait_until(lambda: any(alert["labels"]["job"] == job and alert["status"]["state"] == "suppressed"
                               for alert in self.monitoring.alerts("TrackOpsInstanceFailing")), FIRES_WITHIN, "the alert of the instance being silenced")
        self.processes["relay"] = self.cluster.process("relay").start()
        self.monitoring.move(self.ports())
        self.ends("TrackOpsServiceDown", fired, job=job)
        # The lease of the killed relay runs out, and PostgreSQL has to notice that the reader of its slot is gone.
        wait_until(lambda: time.sleep(0.2) or self.processes["relay"].client().get("/api/relay/status").json()["active"], 60, "the new relay being active")

    def saga_blocked(self):
        """Inventory is gone for so long that the release of a cancelled order is given up."""
        its = shop(self.processes.values())
        order = its.place_confirmed((its.new_sku(10), 1))["id"]
        self.processes["inventory"].kill()
        its.change(order, "cancel").expect(200)

        def is_given_up():  # a deadline is put off while the relay has not sent the question yet
            psql(self.cluster.order_database, f"UPDATE saga_instances SET deadline_at = now(), due_at = now() WHERE order_id = '{order}' AND status = 'RUNNING'")
            return its.sagas(order)["ORDER_CANCELLATION"]["status"] == "BLOCKED"

        wait_until(is_given_up, 60, "the cancellation being given up")
        fired = None
        try:
            fired = self.fires("TrackOpsSagaBlocked", type="ORDER_CANCELLATION")
        finally:
            self.processes["inventory"] = self.cluster.process("inventory").start()
            self.monitoring.move(self.ports())
            shop(self.processes.values()).saga_becomes(order, "ORDER_CANCELLATION", "COMPLETED")
        self.ends("TrackOpsSagaBlocked", fired)

    def rest(self):
        wait_until(lambda: time.sleep(0.5) or not self.monitoring.alerts(), ENDS_WITHIN, "Alertmanager having no alert")
        # Not tests/check_system.py: it would rightly find the message that no consumer could read.
        wait_until(lambda: self.cluster.verify("--at-rest", "--second-look=1s").returncode == 0, 60, "nothing being broken or under way")

    def run(self, asked):
        for step in STEPS:
            if not asked or step in asked:
                self.attempt(getattr(self, step))
        print("\nalert                        fired after  ended after")
        for name, fired, ended in self.measured:
            print(f"{name:<28} {fired:>9.1f} s  {ended:>9.1f} s")
        for fault in self.faults:
            print(f"WRONG: {fault}")
        print(f"\n{len(self.faults)} faults" if self.faults else "\nall of it is as it should be")
        return 1 if self.faults else 0


STEPS = ("silence_while_all_is_well", "relay_stalled", "invariant_broken_and_dead_letters", "slot_lag_and_backlog_age",
         "a_service_that_is_down_silences_its_other_alerts", "saga_blocked", "rest")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", type=float, default=240, metavar="SECONDS", help="of silence that are demanded first, three fifths of them idle")
    parser.add_argument("--step", action="append", choices=STEPS, default=[], help="only this one; may be repeated")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackops-alerts-") as folder:
        pathlib.Path(folder).chmod(0o755)
        area = Area(pathlib.Path(folder), arguments.quiet)
        try:
            return area.run(arguments.step)
        finally:
            area.end()


if __name__ == "__main__":
    sys.exit(main())
