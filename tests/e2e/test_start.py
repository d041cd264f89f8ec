"""How a program is told where it stands: addresses, a file of settings, the variables of Kubernetes, passwords of their own, a full disk."""
import json
import os
import shutil
import socket
import subprocess
import time

import pytest

from access_file import AccessFile, bearer
from cluster import Cluster
from cutter import Cutter
from harness import PROGRAM, START_TIMEOUT, Client, wait_until
from programs import make_program

LINKS = {"TRACKOPS_ORDERS_SERVICE_HOST": "10.96.0.7", "TRACKOPS_ORDERS_SERVICE_PORT": "8080", "TRACKOPS_ORDERS_SERVICE_PORT_HTTP": "8080",
         "TRACKOPS_ORDERS_PORT": "tcp://10.96.0.7:8080", "TRACKOPS_ORDERS_PORT_8080_TCP": "tcp://10.96.0.7:8080",
         "TRACKOPS_ORDERS_PORT_8080_TCP_PROTO": "tcp", "TRACKOPS_ORDERS_PORT_8080_TCP_PORT": "8080", "TRACKOPS_ORDERS_PORT_8080_TCP_ADDR": "10.96.0.7"}


@pytest.fixture
def program(tmp_path_factory):
    """Not started."""
    made, undo = make_program("sqlite", tmp_path_factory.mktemp("start"))
    yield made
    made.end()
    undo()


def run(*arguments, environment=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60, env=environment or {})


def readiness(address, port):
    with socket.create_connection((address, port), timeout=START_TIMEOUT) as connection:
        connection.sendall(b"GET /actuator/health/readiness HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.makefile("rb").readline().split()[1]


@pytest.mark.parametrize("given, asked", [("localhost", ["127.0.0.1"]), ("::1", ["::1"]), ("[::1]", ["::1"]), ("127.0.0.2", ["127.0.0.2"])])
def test_a_loopback_address_needs_nothing_more(program, given, asked):
    program.start("--address", given)
    for address in asked:
        assert readiness(address, program.ports["order"]) == b"200"
    assert "access" not in json.loads(info(asked[0], program.ports["order"]))


@pytest.fixture
def access(tmp_path):
    """(settings, headers): an access file, and those of a caller who may do everything."""
    file = AccessFile(tmp_path / "access.json")
    return ["--access-file", str(file.path)], bearer(file.add_key("admin", "--role", "admin"))


@pytest.mark.parametrize("given, asked", [("0.0.0.0", ["127.0.0.1", "127.0.0.2"]), ("::", ["::1", "127.0.0.1"])])
def test_behind_a_proxy_with_keys_it_listens_everywhere(program, access, given, asked):
    settings, admin = access
    program.start("--address", given, "--behind-proxy", *settings)
    for address in asked:
        assert readiness(address, program.ports["inventory"]) == b"200"
    assert f"other machines can reach {given}: keys, something in front speaks TLS" in program.log_tail()
    for port in program.ports.values():
        client = Client(port)
        assert client.get("/api/orders").status in (401, 404)
        assert "access" not in client.get("/actuator/info", admin).expect(200)
        assert "access" not in client.get("/actuator/health", admin).expect(200)["components"]
        assert b"\ntrackops_insecure 0" in client.get("/actuator/prometheus", admin).body


def test_insecure_starts_whatever_is_missing_and_says_so_everywhere(program):
    program.start("--address", "0.0.0.0", "--insecure")
    told = [json.loads(line) for line in program.log_tail().splitlines() if "INSECURE" in line]
    assert told and told[0]["level"] == "warn" and "without a login" in told[0]["message"] and "without TLS" in told[0]["message"], told
    for port in program.ports.values():
        client = Client(port)
        assert "INSECURE" in client.get("/actuator/info").expect(200)["access"]["warning"]
        health = client.get("/actuator/health").expect(200)
        assert health["components"]["access"]["status"] == "UP"
        assert "without a login" in health["components"]["access"]["details"]["warning"]
        assert "access" not in client.get("/actuator/health/readiness").expect(200)["components"]
        assert b"\ntrackops_insecure 1" in client.get("/actuator/prometheus").body


def info(address, port):
    with socket.create_connection((address, port), timeout=START_TIMEOUT) as connection:
        connection.sendall(b"GET /actuator/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return connection.makefile("rb").read().split(b"\r\n\r\n", 1)[1]


@pytest.mark.parametrize("given, missing", [
    (["--address", "0.0.0.0"], ["address", "127.0.0.1", "--access-file", "--tls-cert-file", "--behind-proxy"]),
    (["--address", "::"], ["address", "--access-file", "--tls-cert-file"]),
    (["--address", "192.0.2.1", "--behind-proxy"], ["address", "--access-file"]),
    (["--address", "0.0.0.0", "--access-file", "/etc/hosts"], ["address", "--tls-cert-file", "--behind-proxy"]),
    (["--address", "0.0.0.0", "--tls-cert-file", "x", "--tls-key-file", "x"], ["address", "--access-file"]),
    (["--management-address", "0.0.0.0:0"], ["management-address", "--tls-cert-file", "--behind-proxy"]),
    (["--management-address", "[::]:0"], ["management-address", "--tls-cert-file", "--behind-proxy"])])
def test_beyond_loopback_it_does_not_start_and_says_what_would_be_right(given, missing):
    ended = run("dev", *given)
    assert ended.returncode == 2 and all(word in ended.stderr for word in missing), ended
    for word in {"--access-file", "--tls-cert-file"} - set(missing):
        assert word not in ended.stderr, ended
    told = run("dev", *given, "--print-config")
    assert told.returncode == 0 and f"# does not start: {missing[0]}: " in told.stdout, told


def test_print_config_says_how_the_settings_stand():
    assert "# only this machine can reach the service" in run("dev", "--print-config").stdout
    beyond = ["--address", "0.0.0.0"]
    assert "# INSECURE (--insecure): address: 0.0.0.0" in run("dev", "--print-config", *beyond, "--insecure").stdout
    kept = run("dev", "--print-config", *beyond, "--access-file", "f", "--tls-cert-file", "c", "--tls-key-file", "k", "--tls-client-ca-file", "a")
    assert "# other machines can reach 0.0.0.0: keys, TLS with client certificates" in kept.stdout, kept


@pytest.mark.parametrize("value", ["", "example.com", "127.0.0.1:8080", "[127.0.0.1]", "::1]", "256.0.0.1", "127.1"])
def test_an_address_that_is_none_is_a_bad_setting(value):
    ended = run("dev", "--address", value, "--behind-proxy")
    assert ended.returncode == 2 and "is neither an IP address nor localhost" in ended.stderr, ended


def test_the_variables_that_kubernetes_sets_for_a_service_are_passed_over():
    told = run("dev", "--print-config", environment=LINKS)
    assert told.returncode == 0 and "order-port = 8080 (default)" in told.stdout, told
    told = run("dev", "--print-config", environment=LINKS | {"TRACKOPS_ORDER_PRT": "8080"})
    assert told.returncode == 2 and "TRACKOPS_ORDER_PRT is unknown; did you mean TRACKOPS_ORDER_PORT?" in told.stderr, told


def test_a_file_of_settings_comes_after_flags_and_the_environment(tmp_path):
    file = tmp_path / "trackops.json"
    file.write_text(json.dumps({"order-port": 1, "inventory-port": 2, "relay-port": 3, "log-json": False, "saga-retry": "5s"}))
    told = run("dev", "--print-config", "--config", file, "--order-port", "4", environment={"TRACKOPS_INVENTORY_PORT": "5"})
    for line in ("order-port = 4 (flag)", "inventory-port = 5 (environment)", "relay-port = 3 (config)", "log-json = false (config)",
                 "saga-retry = 5s (config)", "drain = 10s (default)"):
        assert line in told.stdout.splitlines(), told
    file.write_text(json.dumps({"order-prot": 1, "drain": "soon", "log-json": 3}))
    told = run("dev", "--config", file)
    assert told.returncode == 2
    for fault in ("order-prot is unknown; did you mean order-port?", 'drain "soon" is not a duration', 'log-json "3" is neither true nor false'):
        assert fault in told.stderr, told


def test_health_asks_the_running_program(program):
    program.start("--address", "0.0.0.0", "--insecure")
    order, inventory, relay = (str(program.ports[name]) for name in ("order", "inventory", "relay"))
    ports = ["--order-port", order, "--inventory-port", inventory, "--relay-port", relay]
    began = time.monotonic()
    told = run("health", *ports)
    assert told.returncode == 0 and told.stdout.count('"status":"UP"') >= 3, told
    assert time.monotonic() - began < 2
    told = run("health", *ports, environment={"TRACKOPS_ADDRESS": "0.0.0.0", "TRACKOPS_INSECURE": "1"})
    assert told.returncode == 0, told
    assert run("health", "--ordr-port", order).returncode == 2
    program.kill()
    told = run("health", *ports)
    assert told.returncode == 1 and "no service listens there" in told.stdout, told


def test_health_gives_up_on_a_program_that_stands_still():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        told = run("health", "--order-port", str(silent.getsockname()[1]), "--no-inventory")
        assert told.returncode == 1 and "no answer in time" in told.stdout, told
        assert time.monotonic() - began < 5


def test_health_asks_the_management_plane_where_that_has_an_address_of_its_own(program, tmp_path):
    program.start("--management-address", "[::1]:0")
    ports = program.ports
    told = run("health", "--management-address", f"[::1]:{ports['order-management']}", "--no-inventory", "--relay-port", "1")
    assert f"[::1]:{ports['order-management']}" in told.stdout and '"status":"UP"' in told.stdout, told


@pytest.mark.skipif(os.geteuid() != 0, reason="by design: only root may mount a file system")
def test_a_full_disk_makes_the_service_not_ready_until_there_is_space_again(program, tmp_path):
    data = program.folder / "data"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", data], capture_output=True, check=False).returncode != 0:
        pytest.skip("by design: this machine mounts no tmpfs")
    try:
        program.start("--disk-free-min", "10")
        client = program.client()
        assert client.get("/actuator/health/readiness").status == 200
        with open(data / "filler", "wb") as filler:
            with pytest.raises(OSError):
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
        wait_until(lambda: client.get("/actuator/health/readiness").status == 503, 10, "readiness being DOWN")
        assert client.get("/actuator/health").expect(503)["components"]["diskSpace"]["status"] == "DOWN"
        assert client.get("/actuator/health/liveness").status == 200
        (data / "filler").unlink()
        wait_until(lambda: client.get("/actuator/health/readiness").status == 200, 10, "readiness being UP")
    finally:
        program.end()
        subprocess.run(["umount", "-l", data], check=True)


@pytest.fixture
def cluster(servers, tmp_path):
    its = Cluster(servers.up(), tmp_path)
    yield its
    its.end()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_the_password_of_redis_is_a_setting_of_its_own(cluster, tmp_path):
    port = free_port()
    (tmp_path / "password").write_text("s3/c@r:et\n")
    redis = subprocess.Popen([shutil.which("redis-server"), "--port", str(port), "--requirepass", "s3/c@r:et", "--save", "", "--dir", tmp_path],
                             stdout=subprocess.DEVNULL)
    try:
        orders = cluster.process("order", CACHE_URL=f"redis://127.0.0.1:{port}", REDIS_PASSWORD_FILE=tmp_path / "password").start()
        wait_until(lambda: orders.health()["components"]["cache"]["status"] == "UP", 20, "the cache being UP")
        assert "s3/c@r:et" not in orders.log.read_text()
        orders.stop()
        wrong = cluster.process("order", CACHE_URL=f"redis://127.0.0.1:{port}", REDIS_PASSWORD="wrong").start()
        wait_until(lambda: wrong.health()["components"]["cache"]["status"] == "DOWN", 20, "the cache being DOWN")
    finally:
        redis.terminate()
        redis.wait()


@pytest.mark.parametrize("settings, fault", [
    ({"DATABASE_URL": "postgres://me:one@127.0.0.1:1/x", "DATABASE_PASSWORD": "two"}, "database-password: a password is given beside the one in"),
    ({"MIGRATION_PASSWORD": "two"}, "migration-password is given without migration-url"),
    ({"CACHE_URL": "embedded:", "REDIS_PASSWORD": "two"}, "redis-password: a password is given for a URL that names no server")])
def test_a_password_that_fits_no_url_is_told_and_not_shown(settings, fault):
    program = os.path.join(os.path.dirname(PROGRAM), "order-service")
    ended = subprocess.run([program, "--port", "0", "--start-patience", "0s"], capture_output=True, text=True, timeout=60,
                           env={f"TRACKOPS_{name}": value for name, value in settings.items()})
    assert ended.returncode == 1 and fault in ended.stderr and "two" not in ended.stderr and "one@" not in ended.stderr, ended


def test_a_password_on_the_command_line_is_refused():
    ended = run("migrate", "--order-database-url", "postgres://h/d", "--order-database-password", "two")
    assert ended.returncode == 2 and "--order-database-password holds a password" in ended.stderr and "two" not in ended.stderr, ended


def test_migrate_prepares_both_databases_so_that_services_need_no_owner(cluster):
    names = cluster.names
    urls = ["--order-database-url", cluster.database(names["order"], "owner").replace("postgres://", "jdbc:postgresql://"),
            "--inventory-database-url", cluster.database(names["inventory"], "owner")]
    for _ in range(2):  # a second run finds nothing to do
        told = run("migrate", *urls)
        assert told.returncode == 0, told
        done = [json.loads(line) for line in told.stderr.splitlines()]
        assert [line["database"] for line in done if line["message"] == "the database is up to date"] == ["order", "inventory"], told
    for kind in ("order", "inventory"):
        process = cluster.process(kind, MIGRATION_URL=None)
        process.start()
        assert process.client().get("/actuator/health/readiness").status == 200


def test_migrate_waits_for_a_database_that_is_not_there_yet(cluster):
    owner = cluster.database(cluster.names["order"], "owner")
    server = owner.split("@")[1].split("/")[0]
    before = Cutter("127.0.0.1", free_port(), 1, 0)  # forwards to nobody yet
    absent = owner.replace(server, f"127.0.0.1:{before.port}")
    began = time.monotonic()
    told = run("migrate", "--order-database-url", absent, "--start-patience", "2s")
    assert told.returncode == 1 and "trackops migrate:" in told.stderr and '"not yet: ' in told.stderr, told
    assert 1 < time.monotonic() - began < 20
    waiting = subprocess.Popen([PROGRAM, "migrate", "--order-database-url", absent], env={}, stderr=subprocess.PIPE, text=True)
    try:
        assert "not yet" in waiting.stderr.readline()
        host, port = server.split(":")
        before.server = (host, int(port))
        assert waiting.wait(30) == 0
    finally:
        waiting.kill()
        waiting.wait()


def test_migrate_needs_a_database():
    assert run("migrate").returncode == 2
    assert run("migrate", "--order-database-url", "mysql://h/d").returncode == 2
    assert run("migrate", "--order-databse-url", "x").returncode == 2


def test_migrate_makes_a_sqlite_file(tmp_path):
    told = run("migrate", "--order-database-url", f"sqlite:{tmp_path}/orders.db", "--no-log-json")
    assert told.returncode == 0 and (tmp_path / "orders.db").exists() and not (tmp_path / "inventory.db").exists(), told
