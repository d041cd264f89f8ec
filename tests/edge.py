#!/usr/bin/python3
"""slowhttptest against `trackops dev`: slow clients hold connections, and nobody else notices.

    tests/edge.py [--connections 1000] [MODE...]

In each mode a second client opens a connection every 200 ms and lists orders, places one or asks for readiness. It must be answered as usual and
within LATENCY_MAX. The connections of slowhttptest must end by the server's own time limits (docs/reference/http-api.md).
"""
import argparse
import collections
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests")]

from harness import NO_ANSWER, Program, Shop, order_body  # noqa: E402

LATENCY_MAX = 1.0  # seconds
PAUSE = 0.2  # seconds between two calls of the probe
OTHER_FILES = 20  # that the probe and the databases may open meanwhile
IDLE_TIMEOUT = 20  # seconds; the default of 90 would only make the slow readers take longer
RESIDENT_GROWTH_MAX = 128  # MiB; half of the memory budget
OPENING_TIME = 5  # seconds in which slowhttptest opens its connections
READ_TIMEOUT = 15  # seconds for a header, and between two counts of a body's bytes
MARGIN = 4  # seconds; the server looks once a second, and lingers for one
# The options of slowhttptest, and the seconds after which the server must have closed the last connection. An answer that the kernel's buffers
# hold counts as sent, so a slow reader is closed as idle. A range is ignored: the answer is whole, at once.
MODES = {
    "headers": (["-H", "-i", "10", "-t", "GET", "-x", "24", "-u", "/api/orders"], READ_TIMEOUT),
    "body": (["-B", "-i", "10", "-t", "POST", "-s", "8192", "-x", "10", "-f", "application/json", "-u", "/api/orders/none/cancel"], READ_TIMEOUT),
    "read": (["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3", "-u", "/openapi.json"], IDLE_TIMEOUT),
    "range": (["-R", "-t", "GET", "-a", "10", "-b", "2000", "-u", "/openapi.json"], READ_TIMEOUT),
}


class Probe:
    """Calls the service every PAUSE seconds over a connection of its own, until it is stopped."""

    def __init__(self, program):
        self.program = program
        self.slowest = collections.Counter()  # seconds
        self.calls = collections.Counter()
        self.faults = []
        self.resident_max = 0  # MiB
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def run(self):
        calls = [("GET", "/api/orders?limit=20", None, 200), ("POST", "/api/orders", order_body(("EDGE", 1)), 201),
                 ("GET", "/actuator/health/readiness", None, 200)]
        while not self.stopped.wait(PAUSE):
            for call in calls:
                self.ask(*call)
            self.resident_max = max(self.resident_max, resources(self.program)[0])

    def ask(self, method, path, body, status):
        name = f"{method} {path.partition('?')[0]}"
        client, began = self.program.client(), time.monotonic()
        try:
            told = client.call(method, path, body, {"Connection": "close"}).status
        except NO_ANSWER as failure:
            told = repr(failure)
        took = time.monotonic() - began
        client.close()
        self.calls[name] += 1
        self.slowest[name] = max(self.slowest[name], took)
        if told != status or took > LATENCY_MAX:
            self.faults.append(f"{name} was answered {told} after {took:.3f} s")


def resources(program):
    """The resident memory in MiB and the number of open files."""
    folder = pathlib.Path(f"/proc/{program.process.pid}")
    resident = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) // 1024, len(os.listdir(folder / "fd"))


def attack(program, mode, connections, files_at_rest):
    """Runs slowhttptest until the server has closed its connections. Returns the most that were open at once, and the seconds from there until none
    was left; None when they were more than the mode's limit."""
    options, limit = MODES[mode]
    *options, path = options
    command = ["slowhttptest", "-c", str(connections), "-r", str(connections // OPENING_TIME), "-l", "300", "-p", "3", *options,
               f"http://127.0.0.1:{program.ports['order']}{path}"]
    tool = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    began = most_at = time.monotonic()
    most = 0
    try:
        while time.monotonic() < max(most_at, began + OPENING_TIME) + limit + MARGIN:
            files = resources(program)[1] - files_at_rest
            if files > most:
                most, most_at = files, time.monotonic()
            if time.monotonic() > began + OPENING_TIME and files <= OTHER_FILES and (tool.poll() is not None or most >= connections * 0.9):
                return most, time.monotonic() - most_at
            time.sleep(0.1)
        return most, None
    finally:
        tool.send_signal(signal.SIGINT)
        tool.wait(30)


def check(program, mode, connections):
    at_rest, files_at_rest = resources(program)
    with Probe(program) as probe:
        held, gone = attack(program, mode, connections, files_at_rest)
    faults = probe.faults
    if held < connections * 0.9 and mode != "range":  # which is answered at once
        faults.append(f"slowhttptest held only {held} connections at once")
    if gone is None:
        faults.append(f"the server had not closed all connections {MODES[mode][1]} s after the last was opened")
    if probe.resident_max > at_rest + RESIDENT_GROWTH_MAX:
        faults.append(f"memory grew by more than {RESIDENT_GROWTH_MAX} MiB")
    slowest = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in probe.slowest.items())
    print(f"{mode}: {held} connections at once, none {gone and round(gone, 1)} s later; {sum(probe.calls.values())} calls of the probe, slowest: "
          f"{slowest}; memory {at_rest} to {probe.resident_max} MiB; load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    for fault in faults:
        print(f"{mode}: FAULT: {fault}", flush=True)
    return not faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("modes", nargs="*", metavar="MODE", help=", ".join(MODES))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackops-edge-") as name:
        folder = pathlib.Path(name)
        program = Program(folder, f"sqlite:{folder}/orders.db", f"sqlite:{folder}/inventory.db")
        try:
            program.start("--http-idle-timeout", f"{IDLE_TIMEOUT}s")
            Shop(program).inventory.post("/api/inventory/items", {"sku": "EDGE", "name": "A thing", "onHand": 100_000}).expect(201)
            passed = [check(program, mode, asked.connections) for mode in asked.modes or MODES]
            assert program.stop() == 0, program.log_tail()
        finally:
            program.end()
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
