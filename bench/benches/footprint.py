"""What the three processes take: memory under load, time to be ready, CPU when nothing happens."""
import re
import time

from benches.complete import at_rest
from machine import cpu_seconds

KINDS = ("order", "inventory", "relay")


def ready_after(process):
    """Seconds from the start of the process to its line that says so."""
    begun = time.monotonic()
    process.spawn()
    while b'{"ready":true' not in process.log.read_bytes():
        if process.process.poll() is not None or time.monotonic() - begun > 30:
            process.wait_ready()  # says what is wrong
        time.sleep(0.001)
    taken = time.monotonic() - begun
    process.wait_ready()
    return taken


class Footprint:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, options.seconds
        machine.up()

    def product(self):
        system = self.machine.system(*KINDS)
        try:
            system.stock()
            figures, processes = {}, {kind: system.of(kind) for kind in KINDS}
            time.sleep(1)
            before, begun = {kind: cpu_seconds(each.process.pid) for kind, each in processes.items()}, time.monotonic()
            time.sleep(self.seconds)
            for kind, each in processes.items():
                figures[f"{kind}_idle_cpu_percent"] = 100 * (cpu_seconds(each.process.pid) - before[kind]) / (time.monotonic() - begun)
            placed = system.place(256, self.seconds)
            at_rest(system, placed["done"], 256)
            for kind, each in processes.items():
                figures[f"{kind}_mb"] = peak_mb(each.process.pid)
            for kind, each in processes.items():
                each.stop()
                figures[f"{kind}_start_s"] = ready_after(each)
            return figures | {"largest_mb": max(figures[f"{kind}_mb"] for kind in KINDS),
                              "slowest_start_s": max(figures[f"{kind}_start_s"] for kind in KINDS)}
        finally:
            system.end()

    def cases(self):
        return {"product": self.product}


def peak_mb(pid):
    """The most memory that it ever had."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024
