"""The links to PostgreSQL and Kafka with TLS and passwords: against real servers with certificates that are right, wrong and expired."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import pytest

from certificates import Authority
from harness import PROGRAM, ROOT, wait_until

RUN = ROOT / "servers/run"
BIN = pathlib.Path(PROGRAM).parent
KAFKA_START_TIMEOUT = 120  # seconds
REFUSED_AFTER = "3s"  # of tries to start


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def migrate(url, password, *more):
    return subprocess.run([PROGRAM, "migrate", "--order-database-url", url, "--start-patience", "0s", *more], capture_output=True, text=True, timeout=120,
                          env={"TRACKOPS_ORDER_DATABASE_PASSWORD_FILE": str(password)}, check=False)


class Postgres:
    """A private server with TLS and passwords."""

    def __init__(self, folder, authority):
        self.folder, self.authority = folder, authority
        self.environment = os.environ | {"TRACKOPS_TEST_SERVERS": str(folder), "TRACKOPS_TEST_POSTGRES_SETTINGS": "fsync=off"}
        subprocess.run([RUN, "up", "postgres"], env=self.environment, check=True, capture_output=True)
        self.port = int((folder / "postgres/port").read_text())
        self.data = folder / "postgres/data"
        self.show("localhost")
        self.sql(f"ALTER SYSTEM SET ssl = on; ALTER SYSTEM SET ssl_cert_file = '{self.data}/tls.pem'; ALTER SYSTEM SET ssl_key_file = '{self.data}/tls.key'",
                 "CREATE ROLE shop LOGIN PASSWORD 'first'; ", "CREATE DATABASE shop OWNER shop")
        rules = "local all all trust\nhostnossl all postgres 127.0.0.1/32 trust\nhostssl all shop 127.0.0.1/32 scram-sha-256\n"
        (self.data / "pg_hba.conf").write_text(rules)
        self.reload()

    def show(self, host, days=1, authority=None):
        for file in (authority or self.authority).issue("postgres", host, days=days):
            target = self.data / ("tls" + file.suffix)
            shutil.copy(file, target)
            target.chmod(0o600)
            shutil.chown(target, self.data.stat().st_uid)

    def reload(self):
        """The server takes the files at its next connection or soon after."""
        self.sql("SELECT pg_reload_conf()")

    def sql(self, *texts):
        for text in texts:
            for statement in text.split(";"):
                if statement.strip():
                    subprocess.run(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-c", statement], check=True,
                                   capture_output=True, env=os.environ | {"PGSSLMODE": "disable"})

    def url(self, ca, host="localhost"):
        return f"postgres://shop@{host}:{self.port}/shop?sslmode=verify-full&sslrootcert={ca}"

    def end(self):
        subprocess.run([RUN, "down", "postgres"], env=self.environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory, authority):
    folder = pathlib.Path(f"/var/tmp/trackops-outbound-{os.getpid()}")
    folder.mkdir(mode=0o755)
    its = None
    try:
        its = Postgres(folder, authority)
        yield its
    finally:
        if its:
            its.end()
        shutil.rmtree(folder, ignore_errors=True)


def test_postgres_is_believed_only_with_the_right_certificate(postgres, authority, tmp_path):
    password = tmp_path / "password"
    password.write_text("first\n")
    ca = authority.certificate

    def refusal(url):
        done = migrate(url, password)
        assert done.returncode == 1 and "first" not in done.stderr, done
        return done.stderr
    wait_until(lambda: migrate(postgres.url(ca), password).returncode == 0, 30, "the server with TLS")
    other = Authority(tmp_path, "other")
    assert "certificate verify failed" in refusal(postgres.url(other.certificate))
    assert "does not match host name" in refusal(postgres.url(ca, "127.0.0.1"))
    try:
        postgres.show("localhost", days=-1)
        postgres.reload()
        wait_until(lambda: "certificate has expired" in migrate(postgres.url(ca), password).stderr or
                   "certificate verify failed" in migrate(postgres.url(ca), password).stderr, 30, "the expired certificate being refused")
    finally:
        postgres.show("localhost")
        postgres.reload()
    wait_until(lambda: migrate(postgres.url(ca), password).returncode == 0, 30, "the server with its good certificate")
    without = f"postgres://shop@localhost:{postgres.port}/shop?sslmode=disable"
    assert "no encryption" in refusal(without)


def test_a_rotated_password_is_needed_and_taken(postgres, authority, tmp_path):
    password = tmp_path / "password"
    password.write_text("first")
    url = postgres.url(authority.certificate)
    wait_until(lambda: migrate(url, password).returncode == 0, 30, "the first password")
    try:
        postgres.sql("ALTER ROLE shop PASSWORD 'second'")
        old = migrate(url, password)
        assert old.returncode == 1 and "password authentication failed" in old.stderr, old
        password.write_text("second\n")
        assert migrate(url, password).returncode == 0
    finally:
        postgres.sql("ALTER ROLE shop PASSWORD 'first'")


class Kafka:
    """A private broker that takes TLS with SASL: SCRAM-SHA-512 and PLAIN."""

    def __init__(self, folder, certificate, key):
        self.folder, self.port = folder, free_port()
        store = folder / "broker.pem"
        store.write_text(key.read_text() + certificate.read_text())
        jaas = "listener.name.clients.{}.sasl.jaas.config=org.apache.kafka.common.security.{} required {};"
        template = (ROOT / "servers/kafka.properties").read_text()
        lines = [line for line in template.splitlines() if not line.startswith(("listeners=", "advertised.listeners=", "listener.security", "inter.broker"))]
        broker = free_port()
        lines += [f"listeners=CLIENTS://127.0.0.1:{self.port},BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:@CONTROLLER_PORT@",
                  f"advertised.listeners=CLIENTS://localhost:{self.port},BROKER://127.0.0.1:{broker}",
                  "listener.security.protocol.map=CLIENTS:SASL_SSL,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT", "inter.broker.listener.name=BROKER",
                  "listener.name.clients.ssl.keystore.type=PEM", f"listener.name.clients.ssl.keystore.location={store}",
                  "listener.name.clients.sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN",
                  jaas.format("scram-sha-512", "scram.ScramLoginModule", ""),
                  jaas.format("plain", "plain.PlainLoginModule", 'username="broker" password="x" user_relay="plain-secret"')]
        properties = folder / "server.properties"
        properties.write_text("\n".join(lines).replace("@FOLDER@", str(folder)).replace("@CONTROLLER_PORT@", str(free_port())))
        jars = subprocess.run([RUN, "jars"], check=True, capture_output=True, text=True).stdout.strip()
        java = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars}/*"]
        subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", properties, "--add-scram",
                        "SCRAM-SHA-512=[name=relay,password=scram-secret]"], check=True, capture_output=True, timeout=120)
        self.log = folder / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*java, "kafka.Kafka", properties], stdout=log, stderr=subprocess.STDOUT)

    def accepts(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory, authority):
    its = Kafka(tmp_path_factory.mktemp("kafka"), *authority.issue("broker", "localhost"))
    try:
        wait_until(its.accepts, KAFKA_START_TIMEOUT, "the broker")
        yield its
    finally:
        its.end()


def order_service(folder, bus, password):
    """Starts it and waits until it serves; its lines, and whether it came to serve."""
    (folder / "password").write_text(password)
    environment = {"TRACKOPS_DATABASE_URL": f"sqlite:{folder}/orders.db", "TRACKOPS_CACHE_URL": "embedded:", "TRACKOPS_PORT": "0", "TRACKOPS_BUS_URL": bus,
                   "TRACKOPS_BUS_PASSWORD_FILE": str(folder / "password"), "TRACKOPS_START_PATIENCE": REFUSED_AFTER}
    with subprocess.Popen([BIN / "order-service"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as program:
        lines = []
        for line in program.stdout:
            lines.append(line)
            if line.startswith('{"ready":true'):
                program.send_signal(signal.SIGTERM)
        return "".join(lines), program.wait() == 0 and any(line.startswith('{"ready":true') for line in lines)


@pytest.mark.parametrize("mechanism, password", [("&sasl=PLAIN", "plain-secret")])
def test_kafka_takes_each_mechanism_and_no_wrong_password(kafka, authority, tmp_path, mechanism, password):
    bus = f"kafka://relay@localhost:{kafka.port}?tls=true&ca={authority.certificate}{mechanism}"
    said, serves = order_service(tmp_path, bus, password)
    assert serves and password not in said, said
    said, serves = order_service(tmp_path, bus, "wrong")
    assert not serves and "uthentication failed" in said, said


def test_oauthbearer_is_refused_with_the_reason_where_librdkafka_cannot_fetch_tokens(tmp_path):
    """Debian 12. Where it can, the broker that is not there is missed instead."""
    said, serves = order_service(tmp_path, "kafka://relay@localhost:1?tls=true&sasl=OAUTHBEARER&oauth-url=https://localhost:1/token", "client-secret")
    assert not serves and ("OIDC" in said or "localhost:1" in said) and "client-secret" not in said, said


def test_scram_works_or_the_log_says_why_it_cannot(kafka, authority, tmp_path):
    """Kafka 4 refuses what librdkafka before 2.6.1 sends (Debian 12). Then the log must say so."""
    said, serves = order_service(tmp_path, f"kafka://relay@localhost:{kafka.port}?tls=true&ca={authority.certificate}", "scram-secret")
    assert serves or ("Kafka 4 refuses SCRAM from this librdkafka" in said and "invalid credentials" in said), said
    assert "scram-secret" not in said


def test_kafka_is_believed_only_with_the_right_certificate(kafka, authority, tmp_path):
    other = Authority(tmp_path, "other")
    for host, ca in (("localhost", other.certificate), ("127.0.0.1", authority.certificate)):
        said, serves = order_service(tmp_path, f"kafka://relay@{host}:{kafka.port}?tls=true&ca={ca}", "scram-secret")
        assert not serves and "certificate verify failed" in said, said
    said, serves = order_service(tmp_path, f"kafka://relay@localhost:{kafka.port}", "scram-secret")
    assert not serves, "plain text is no TLS"


def test_kafka_with_an_expired_certificate_is_refused(authority, tmp_path):
    broker = Kafka(tmp_path, *authority.issue("late", "localhost", days=-1))
    try:
        wait_until(broker.accepts, KAFKA_START_TIMEOUT, "the broker")
        said, serves = order_service(tmp_path, f"kafka://relay@localhost:{broker.port}?tls=true&ca={authority.certificate}", "scram-secret")
        assert not serves and "certificate verify failed" in said, said
    finally:
        broker.end()


def test_strict_refuses_links_without_checked_tls_and_names_each():
    far = {"TRACKOPS_DATABASE_URL": "postgres://db.example/trackops?sslmode=require", "TRACKOPS_CACHE_URL": "redis://cache.example:6379",
           "TRACKOPS_BUS_URL": "kafka://127.0.0.1:9092,broker.example:9092"}
    kept = {"TRACKOPS_DATABASE_URL": "postgres://db.example/trackops?sslmode=verify-full", "TRACKOPS_CACHE_URL": "redis://127.0.0.1:6379",
            "TRACKOPS_BUS_URL": "kafka://broker.example:9093?tls=true"}

    def run(environment, *arguments):
        return subprocess.run([BIN / "order-service", *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False)
    refused = run(far, "--strict", "--start-patience", "0s")
    assert refused.returncode == 2 and all(name in refused.stderr for name in ("database-url", "cache-url", "bus-url")), refused
    told = run(far, "--print-config").stdout
    assert "# bus-url names a server on another machine" in told and "add tls=true" in told and "add sslmode=verify-full" in told, told
    assert "on another machine" not in run(kept, "--print-config").stdout
    assert run(kept, "--strict", "--port", "70000").stderr.count("another machine") == 0


def test_redis_with_tls_is_refused_with_the_reason(tmp_path):
    ended = subprocess.run([BIN / "order-service", "--port", "0", "--start-patience", "0s"], capture_output=True, text=True, timeout=60, check=False,
                           env={"TRACKOPS_CACHE_URL": "rediss://cache.example:6379", "TRACKOPS_DATABASE_URL": f"sqlite:{tmp_path}/orders.db", "TRACKOPS_BUS_URL": "kafka://127.0.0.1:1"})
    assert ended.returncode == 1 and "rediss" in ended.stderr and "hiredis" in ended.stderr, ended
