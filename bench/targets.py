"""What is promised: rows of docs/performance.md. A figure against a floor's of the same round, or by itself."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Target:
    number: str
    what: str
    bench: str
    product: tuple  # case, figure
    floor: tuple  # the same; () when the figure counts by itself
    must: float
    aim: float
    lower: bool = False  # is better
    unit: str = ""

    def met(self, value):
        """"aim", "must" or "missed"."""
        reached = [word for word, bound in (("aim", self.aim), ("must", self.must)) if (value <= bound if self.lower else value >= bound)]
        return (reached + ["missed"])[0]


F2 = ("F2, 32 clients", "per_s")
TARGETS = [
    Target("1", "POST /api/orders, 256 clients, orders/s", "place", ("product, 256 clients", "per_s"), F2, 1.6, 2.7),
    Target("2", "POST p50, 1 client, ms", "place", ("product, 1 client", "p50_ms"), ("F2, 1 client", "p50_ms"), 1.8, 1.3, True),
    Target("3", "POST p99, 64 clients", "place", ("product, 64 clients", "p99_ms"), (), 20, 10, True, "ms"),
    Target("4a", "GET of a cached order from memory, /s", "read", ("product, memory", "per_s"), ("nginx", "per_s"), 0.75, 0.88),
    Target("4b", "GET of a cached order from Redis, /s", "read", ("product, Redis", "per_s"), ("nginx", "per_s"), 0.45, 0.65),
    Target("5", "relay drains a backlog to Kafka, events/s", "relay", ("product, drain by poll", "per_s"), ("F5", "per_s"), 0.8, 1.5),
    Target("6", "POST orders/s with the relay on, against without", "relay", ("product, POST with relay", "per_s"),
           ("product, POST without relay", "per_s"), 0.85, 0.95),
    Target("7a", "commit to topic at 1,000 events/s, p50", "relay", ("product, commit to topic", "p50_ms"), (), 5, 2.5, True, "ms"),
    Target("7b", "commit to topic at 1,000 events/s, p99", "relay", ("product, commit to topic", "p99_ms"), (), 30, 15, True, "ms"),
    Target("8", "reservations/s of one hot SKU, topic to committed reply", "hot-sku", ("product, topic to reply", "per_s"),
           ("F4, 32 clients", "per_s"), 10, 30),
    Target("9", "completed orders/s, three services and Kafka", "complete", ("product, POST then rest", "per_s"), F2, 0.4, 0.8),
    Target("10a", "POST to CONFIRMED at 200 orders/s, embedded, p50", "complete", ("embedded, 200 orders/s", "p50_ms"), (), 8, 3, True, "ms"),
    Target("10b", "the same, p99", "complete", ("embedded, 200 orders/s", "p99_ms"), (), 25, 10, True, "ms"),
    Target("10c", "POST to CONFIRMED at 200 orders/s, three processes, p50", "complete", ("product, 200 orders/s", "p50_ms"), (), 12, 6, True, "ms"),
    Target("10d", "the same, p99", "complete", ("product, 200 orders/s", "p99_ms"), (), 40, 20, True, "ms"),
    Target("11", "CPU of service and PostgreSQL for an accepted order", "place", ("product, 256 clients", "cpu_us"), (), 110, 65, True, "us"),
    Target("12a", "memory of the largest service under load", "footprint", ("product", "largest_mb"), (), 96, 48, True, "MB"),
    Target("12b", "start to ready, the slowest service", "footprint", ("product", "slowest_start_s"), (), 1, 0.3, True, "s"),
    Target("-", "throughput with 1 M orders, against 10 k", "scale", ("1,000,000 orders", "per_s"), ("10,000 orders", "per_s"), 0.85, 0.85),
    Target("-", "p99 with 1 M orders, against 10 k", "scale", ("1,000,000 orders", "p99_ms"), ("10,000 orders", "p99_ms"), 1.15, 1.15, True),
    Target("-", "relay: last tenth of a backlog of 1 M, against the first", "scale", ("drain", "last_tenth_per_s"), ("drain", "first_tenth_per_s"),
           0.85, 0.85),
]
