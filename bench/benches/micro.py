"""Single steps of the product, by Google Benchmark: nanoseconds each."""
import json

from machine import PROGRAMS, call


class Micro:
    def __init__(self, _, options):
        self.seconds = options.seconds / 8

    def measure(self, name):
        report = call(PROGRAMS / "bench_micro", f"--benchmark_filter=^{name}$", f"--benchmark_min_time={self.seconds}", "--benchmark_format=json")
        found = json.loads(report[report.index("{"):])["benchmarks"][0]
        return {"ns": found["real_time"], "cpu_ns": found["cpu_time"]}

    def cases(self):
        names = call(PROGRAMS / "bench_micro", "--benchmark_list_tests").split()
        return {name.removesuffix("/real_time"): lambda name=name: self.measure(name) for name in names}
