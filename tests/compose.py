#!/usr/bin/env python3
"""docker-compose.yml, run unchanged in a checkout: the first order, kills of each container under load, restarts.
    tests/compose.py CHECKOUT [--seed N]
Runs where the ports are published, with DOCKER_HOST set. Ends at the first fault with exit code 1."""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests")]

from harness import Client, Shop, wait_until  # noqa: E402
from shoppers import Crowd  # noqa: E402

PORTS = {"order": 8080, "inventory": 8081, "relay": 8082}
PROGRAMS = {"order": "order-service", "inventory": "inventory-service", "relay": "event-relay-service"}
SERVICES = list(PROGRAMS.values())
SHOPPERS = 6
PLENTY, SCARCE = 1_000_000, 200
ORDERS_BEFORE_KILL, ORDERS_AFTER = 40, 40


class Compose:
    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments, timeout=900, ok=True):
        done = subprocess.run(["docker-compose", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=timeout, check=False)
        assert not ok or done.returncode == 0, f"docker-compose {' '.join(arguments)}: {done.stderr[-3000:]}{done.stdout[-3000:]}"
        return done

    def foreground(self, *services):
        log = open(self.folder / "foreground.log", "wb")
        with log:
            return subprocess.Popen(["docker-compose", "up", *services], cwd=self.folder, stdout=log, stderr=subprocess.STDOUT)


def docker(*arguments, timeout=60):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
    return done.stdout


class Published:
    """What a Shop needs to know."""
    ports = PORTS

    def client(self, service="order"):
        return Client(PORTS[service])


def is_ready(service):
    """The management plane is not published, so the container asks itself."""
    name = PROGRAMS[service]
    done = subprocess.run(["docker", "exec", f"trackops-{name}", f"/usr/bin/{name}", "health"], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def wait_all_healthy(seconds=180):
    for service in PORTS:
        wait_until(lambda service=service: is_ready(service), seconds, f"{service} being healthy")


def orders_of(shop):
    return {order["id"]: order for order in shop.everything("/api/orders?limit=500")}


def first_order(compose, began):
    wait_until(lambda: is_ready("order") and is_ready("inventory"), 300, "the services being healthy")
    ready = time.monotonic() - began
    Client.default_headers = {}  # a second start gets a stranger first, too
    assert Client(PORTS["order"]).get("/api/orders").status == 401, "a stranger is answered"
    key = docker("exec", "trackops-postgres", "cat", "/secrets/access/admin-key").strip()
    Client.default_headers = {"Authorization": f"Bearer {key}"}
    shop = Shop(Published())
    sku = shop.new_sku(10)
    order = shop.orders.post("/api/orders?wait=confirmed", {
        "customerId": "018bcfe5-687b-7abc-8123-456789abcdef", "currency": "GBP", "items": [{"sku": sku, "quantity": 6, "unitAmount": 255}],
        "shippingAddress": {"line1": "1 High St", "city": "London", "postalCode": "N1 9GU", "country": "GB"}}).expect(201)
    shop.becomes(order["id"], "CONFIRMED")
    shop.stock_becomes(sku, 10, 6, 4)
    print(f"up: healthy after {ready:.1f} s, the first order CONFIRMED after {time.monotonic() - began:.1f} s")
    return shop, order["id"]


def check_containers():
    for service in SERVICES:
        about = json.loads(docker("inspect", f"trackops-{service}"))[0]
        assert about["Config"]["User"] == "65532:65532" and about["HostConfig"]["ReadonlyRootfs"], service
        assert about["State"]["Health"]["Status"] in ("healthy", "starting"), about["State"]
    for container in docker("ps", "-q").split():
        for bindings in json.loads(docker("inspect", container))[0]["HostConfig"]["PortBindings"].values():
            assert all(binding["HostIp"] == "127.0.0.1" for binding in bindings), bindings
    for server in ("postgres", "redis", "kafka"):
        assert not json.loads(docker("inspect", f"trackops-{server}"))[0]["HostConfig"]["PortBindings"], f"{server} is published"


def check_passwords():
    """From another container a wrong password is refused by PostgreSQL, and Redis answers nobody without one."""
    network = next(iter(json.loads(docker("inspect", "trackops-postgres"))[0]["NetworkSettings"]["Networks"]))
    for image, command, refusal in (
            ("postgres:17", ["psql", "-h", "postgres", "-U", "trackops_service", "-d", "trackops", "-c", "SELECT 1"], "password authentication failed"),
            ("redis:8", ["redis-cli", "-h", "redis", "ping"], "NOAUTH")):
        done = subprocess.run(["docker", "run", "--rm", "--network", network, "-e", "PGPASSWORD=wrong", image, *command], capture_output=True, text=True,
                              timeout=60, check=False)
        assert refusal in done.stdout + done.stderr, done


def check_logs():
    """Each line of the services is JSON for machines, or the line that says it is ready. No password is in any log."""
    passwords = docker("exec", "trackops-postgres", "bash", "-c", "for file in /secrets/postgres/* /secrets/redis/password /secrets/access/admin-key; do cat $file; echo; done").split()
    assert len(passwords) == 9 and min(map(len, passwords)) >= 32, "the passwords of the volume"
    lines = 0
    for container in [f"trackops-{name}" for name in (*SERVICES, "postgres", "redis", "kafka")]:
        done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, timeout=60, check=True)
        text = done.stdout + done.stderr
        assert not [password for password in passwords if password in text], f"a password in the log of {container}"
        if container.removeprefix("trackops-") in SERVICES:
            told = [json.loads(line) for line in text.splitlines()]
            assert any(line.get("ready") for line in told), f"{container} never said that it is ready"
            assert all("ready" in line or {"time", "level", "service", "message"} <= line.keys() for line in told), told
            assert any("keys, something in front speaks TLS" in line.get("message", "") for line in told), f"{container} does not say how it stands"
            lines += len(told)
    print(f"docker logs: {lines} lines of the services, all JSON; {len(passwords)} passwords are in none")


class Killer:
    def __init__(self, crowd):
        self.crowd = crowd

    def go_on(self, orders):
        target = self.crowd.placed() + orders
        wait_until(lambda: self.crowd.faults or self.crowd.placed() >= target, 120, f"{orders} more orders")
        assert not self.crowd.faults, self.crowd.faults

    def kill(self, container, away=2):
        self.go_on(ORDERS_BEFORE_KILL)
        began = time.monotonic()
        docker("kill", container)
        time.sleep(away)  # the outage itself
        docker("start", container)
        wait_until(lambda: all(is_ready(service) for service in PORTS), 120, f"health after {container} was killed")
        healthy = time.monotonic() - began
        self.go_on(ORDERS_AFTER)
        print(f"killed {container}: healthy {healthy:.1f} s later, {self.crowd.placed()} orders promised")


def verify(compose):
    """`trackops verify` in the network of the services, at rest."""
    urls = [f"--{kind}-database=postgres://{role}_owner@postgres:5432/{role}?passfile=/secrets/services/pgpass"
            for kind, role in (("order", "trackops"), ("inventory", "trackops_inventory"))]

    def is_true():
        done = compose.run("run", "--rm", "--no-deps", "migrate", "verify", "--at-rest", *urls, ok=False, timeout=300)
        return done if done.returncode == 0 else None
    done = wait_until(is_true, 120, "trackops verify finding nothing")
    print(f"trackops verify: {done.stdout.strip().splitlines()[-1]}")


def kill_each(compose, shop, seed, known):
    skus = [shop.new_sku(PLENTY), shop.new_sku(PLENTY), shop.new_sku(SCARCE)]
    crowd = Crowd(seed, SHOPPERS, skus, lambda: [PORTS["order"]])
    killer = Killer(crowd)
    for name in (*SERVICES, "kafka", "redis", "postgres"):
        killer.kill(f"trackops-{name}")
    promised = crowd.finish()
    shop = Shop(Published())
    shop.comes_to_rest(180)
    there = orders_of(shop)
    lost = promised.keys() - there.keys()
    assert not lost, f"lost: {lost}"
    more = there.keys() - promised.keys() - known
    assert not more, f"orders that nobody was promised: {more}"
    behind = [order for order, body in promised.items() if there[order]["version"] < body["version"]]
    assert not behind, f"older than what was answered: {behind}"
    print(f"{len(promised)} orders promised under six kills, {len(there)} there, none lost, none doubled; the slowest answer took "
          f"{max(one.slowest for one in crowd.shoppers):.1f} s")
    verify(compose)
    return there


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    compose = Compose(options.checkout)

    began = time.monotonic()
    compose.run("up", "-d", timeout=3600)
    print(f"docker-compose up -d: {time.monotonic() - began:.1f} s, the build of the images included")
    shop, first = first_order(compose, began)
    check_containers()
    check_passwords()
    compose.run("down")

    began = time.monotonic()
    foreground = compose.foreground(*SERVICES)
    try:
        shop, second = first_order(compose, began)
        assert {first, second} <= orders_of(shop).keys(), "down and up lost an order"
    finally:
        foreground.send_signal(signal.SIGINT)
        foreground.wait(120)
    print("docker-compose up order-service inventory-service event-relay-service: works; the first order is still there")

    compose.run("up", "-d")
    wait_all_healthy()
    there = kill_each(compose, Shop(Published()), options.seed, {first, second})
    check_logs()
    began = time.monotonic()
    compose.run("down")
    print(f"down: {time.monotonic() - began:.1f} s")
    compose.run("up", "-d")
    wait_all_healthy()
    again = orders_of(Shop(Published()))
    assert again.keys() == there.keys(), f"down and up lost {there.keys() ^ again.keys()}"
    print(f"down and up: all {len(again)} orders are there")
    compose.run("down", "-v")


main()
