"""A cached order over HTTP, from the memory of the process and from Redis, beside nginx that answers the same bytes to anything."""
import contextlib
import socket
import subprocess
import time

from machine import PROGRAMS, Wrong, call, wrk

CLIENTS = 64
ORDERS = 40_000  # three times what the memory in front of Redis holds (16 MiB)
FRESH = 25  # seconds: of the 30 that an order stays in Redis

NGINX = """daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/log crit; events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; default_type application/json;
        server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{body}'; }} }} }}
"""


@contextlib.contextmanager
def nginx(folder, body):
    """Its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, body=body))
    server = subprocess.Popen(["nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", port)):
            if time.monotonic() > until:
                raise Wrong("nginx does not start")
            time.sleep(0.01)
        yield port
    finally:
        server.terminate()
        server.wait()


def paths_of(system, count):
    """A file with the paths of so many orders."""
    file = system.folder / "paths"
    file.write_text("".join(f"/api/orders/{order}\n" for (order,) in system.orders(f"SELECT id FROM orders LIMIT {count}")))
    return file


class Read:
    def __init__(self, machine, options):
        self.machine, self.seconds = machine, min(options.seconds, FRESH / 2)
        self.body = "{}"
        machine.up()

    def read(self, system, paths, level):
        """Counts only if this level of the cache answered."""
        def hits():
            return system.metric("order", "trackops_cache_hits_total", level=level)
        before = hits()
        figures = wrk(system.url("order"), CLIENTS, self.seconds, "get.lua", paths)
        share = (hits() - before) / figures["done"]
        if share < 0.95:
            raise Wrong(f"{share:.0%} of the reads were answered from {level}")
        return figures

    def memory(self):
        system = self.machine.system("order")
        try:
            system.place(1, 1)
            paths = paths_of(system, 1)
            self.body = system.of("order").client().get(paths.read_text().strip()).body.decode()
            wrk(system.url("order"), CLIENTS, 1, "get.lua", paths)
            return self.read(system, paths, "memory")
        finally:
            system.end()

    def redis(self):
        system = self.machine.system("order")
        try:
            call(PROGRAMS / "bench_write_path", "--database", system.order_database, "--what", "place", "--batch", 128, "--seconds",
                 ORDERS / 4000, "--connections", 2)
            paths = paths_of(system, ORDERS)
            lines = paths.read_text().splitlines(keepends=True)
            some = system.folder / "some"
            for first in range(0, len(lines), 4000):  # until all are there
                some.write_text("".join(lines[first:first + 4000]))
                wrk(system.url("order"), CLIENTS, 1, "get.lua", some)
            return self.read(system, paths, "redis")
        finally:
            system.end()

    def floor(self):
        path = self.machine.folder / "path"
        path.write_text("/api/orders/0190a6de-1f3b-7c55-9f4e-2f6b7d1c0a11\n")
        with nginx(self.machine.folder, self.body) as port:
            return wrk(f"http://127.0.0.1:{port}", CLIENTS, self.seconds, "get.lua", path)

    def cases(self):
        return {"product, memory": self.memory, "nginx": self.floor, "product, Redis": self.redis}
