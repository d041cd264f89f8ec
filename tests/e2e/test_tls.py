"""TLS of a running system: clients that trust and clients that do not, a new certificate, thousands of silent connections."""
import http.client
import json
import re
import socket
import ssl
import subprocess
import time

import pytest

from certificates import Authority
from harness import PROGRAM, wait_until
from programs import make_program

SILENT = 1000  # connections that send nothing
HANDSHAKE_TIME = 10  # seconds
LATENCY_MAX = 2.0  # seconds


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def program(tmp_path_factory):
    """Not started."""
    made, undo = make_program("sqlite", tmp_path_factory.mktemp("tls"))
    yield made
    made.end()
    undo()


def settings(certificate, key, *more):
    return ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), *map(str, more)]


def trusting(authority, own=None):
    context = ssl.create_default_context(cafile=authority.certificate)
    if own:
        context.load_cert_chain(*own)
    return context


class Client:
    def __init__(self, port, context, host="localhost"):
        self.connection = http.client.HTTPSConnection(host, port, timeout=30, context=context)

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def end_of(port, context):
    """The end of the certificate that is shown."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain, context.wrap_socket(plain, server_hostname="localhost") as secure:
        return secure.getpeercert()["notAfter"]


def metric(text, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text.decode(), re.MULTILINE)[1])


def test_every_port_speaks_https_and_health_and_load_do_too(program, authority, tmp_path):
    own = settings(*authority.issue("server", "localhost", "127.0.0.1"))
    program.start(*own, "--management-address", "127.0.0.1:0")
    context = trusting(authority)
    for service, path in (("order", "/api/orders"), ("inventory", "/api/inventory/items"), ("relay", "/api/relay/status"),
                          ("order-management", "/actuator/health"), ("relay-management", "/actuator/prometheus")):
        status, headers, _ = Client(program.ports[service], context).get(path)
        assert status == 200 and headers["Strict-Transport-Security"].startswith("max-age="), (service, headers)
    with socket.create_connection(("127.0.0.1", program.ports["order"]), timeout=30) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTPS" in plain.makefile("rb").read()
    management = program.ports["order-management"]
    told = subprocess.run([PROGRAM, "health", *own, "--management-address", f"127.0.0.1:{management}", "--no-inventory"], capture_output=True, text=True,
                          timeout=60, env={}, check=False)
    assert f"127.0.0.1:{management}" in told.stdout and '"status":"UP"' in told.stdout, told
    items = tmp_path / "items.ndjson"
    items.write_text(json.dumps({"sku": "T-tls", "name": "A thing", "onHand": 5}) + "\n")
    url = f"https://localhost:{program.ports['inventory']}"
    load = [PROGRAM, "load", str(items), "--items", "--order-url", url, "--inventory-url", url]
    done = subprocess.run([*load, "--ca-file", str(authority.certificate)], capture_output=True, text=True, timeout=60, env={}, check=False)
    assert done.returncode == 0, done
    _, _, item = Client(program.ports["inventory"], context).get("/api/inventory/items/T-tls")
    assert json.loads(item)["onHand"] == 5
    refused = subprocess.run([*load, "--ca-file", str(Authority(tmp_path, "other").certificate)], capture_output=True, text=True, timeout=60, env={}, check=False)
    assert refused.returncode == 1 and "unable to get local issuer" in refused.stdout + refused.stderr, refused


def test_a_client_that_checks_refuses_the_wrong_authority_name_and_time(program, authority, tmp_path):
    server = authority.issue("server", "localhost")
    program.start(*settings(*server))
    port = program.ports["order"]
    assert Client(port, trusting(authority)).get("/actuator/health")[0] == 200
    for context, host, fault in ((trusting(Authority(tmp_path, "other")), "localhost", "unable to get local issuer"),
                                 (trusting(authority), "127.0.0.1", "IP address mismatch")):
        with pytest.raises(ssl.SSLCertVerificationError, match=fault):
            Client(port, context, host).get("/actuator/health")
    before = end_of(port, trusting(authority))
    authority.issue("server", "localhost", days=-1)

    def has_expired():
        try:
            return end_of(port, trusting(authority)) != before and None
        except ssl.SSLCertVerificationError as refusal:
            return "certificate has expired" in str(refusal)
    wait_until(has_expired, 20, "the expired certificate being shown")
    assert "the certificate has expired" in program.log_tail()


def test_old_versions_and_suites_are_refused(program, authority):
    program.start(*settings(*authority.issue("server", "localhost")))

    def s_client(*arguments):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{program.ports['order']}", "-CAfile", authority.certificate, *arguments],
                              input="", capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr
    for version in ("-tls1_2", "-tls1_3"):
        told = s_client(version, "-alpn", "h2,http/1.1")
        assert "Verify return code: 0 (ok)" in told and "ALPN protocol: http/1.1" in told and "Compression: NONE" in told, told
    assert "Secure Renegotiation IS supported" in s_client("-tls1_2")
    for old in (["-tls1"], ["-tls1_1"], ["-tls1_2", "-cipher", "AES128-SHA"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA"], ["-alpn", "h2"]):
        cipher = old + (["-cipher", "ALL:@SECLEVEL=0"] if old in (["-tls1"], ["-tls1_1"]) else [])
        told = s_client(*cipher)
        assert "Cipher is (NONE)" in told or "alert" in told, (old, told)


def test_a_new_certificate_is_shown_within_a_second_and_a_bad_one_is_refused(program, authority, tmp_path):
    certificate, key = authority.issue("server", "localhost", days=1)
    program.start(*settings(certificate, key))
    port, context = program.ports["order"], trusting(authority)
    first = end_of(port, context)
    before = Client(port, context)
    assert before.get("/actuator/health")[0] == 200
    authority.issue("server", "localhost", days=2)
    changed = time.monotonic()
    wait_until(lambda: end_of(port, context) != first, 20, "the new certificate")
    print(f"seconds from the change of the files to the new certificate: {time.monotonic() - changed:.2f}")
    assert before.get("/actuator/health")[0] == 200, "an open connection goes on"
    second = end_of(port, context)
    good = key.read_text()
    key.write_text("nonsense")
    wait_until(lambda: metric(before.get("/actuator/prometheus")[2], "trackops_tls_files_in_force") == 0, 20, "the bad pair being refused")
    assert end_of(port, context) == second
    assert program.log_tail().count("the certificate is refused") == 1
    key.write_text(good)
    wait_until(lambda: metric(before.get("/actuator/prometheus")[2], "trackops_tls_files_in_force") == 1, 20, "the good pair being back")


def test_with_a_client_ca_only_clients_with_a_certificate_are_answered(program, authority, tmp_path):
    server = settings(*authority.issue("server", "localhost"), "--tls-client-ca-file", authority.certificate)
    program.start(*server)
    port = program.ports["order"]
    assert Client(port, trusting(authority, authority.issue("client", "a-client"))).get("/actuator/health")[0] == 200
    strangers = [None, Authority(tmp_path, "other").issue("stranger", "a-client"), authority.issue("late", "a-client", days=-1)]
    for own in strangers:
        with pytest.raises((ssl.SSLError, ConnectionResetError, http.client.RemoteDisconnected)):
            Client(port, trusting(authority, own)).get("/actuator/health")
    ports = ["--order-port", str(port), "--inventory-port", str(program.ports["inventory"]), "--relay-port", str(program.ports["relay"])]
    told = subprocess.run([PROGRAM, "health", *server, *ports], capture_output=True, text=True, timeout=60, env={}, check=False)
    assert told.returncode == 0, told


def test_a_thousand_silent_connections_do_not_stop_the_others_and_end(program, authority):
    program.start(*settings(*authority.issue("server", "localhost")))
    port, context = program.ports["order"], trusting(authority)
    silent = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(SILENT)]
    began = time.monotonic()
    for each in silent[: SILENT // 2]:
        each.sendall(b"\x16\x03\x01")  # the beginning of a handshake
    client = Client(port, context)
    assert client.get("/actuator/health")[0] == 200
    took = time.monotonic() - began
    ends = sum(each.recv(1) == b"" for each in silent)
    ended = time.monotonic() - began
    _, _, metrics = client.get("/actuator/prometheus")
    print(f"another client was served after {took:.2f} s; {ends} silent connections were closed after {ended:.1f} s")
    assert took < LATENCY_MAX and ends == SILENT and ended < HANDSHAKE_TIME + 10
    assert metric(metrics, 'http_server_limit_reached_total{limit="handshake_time"}') == SILENT


@pytest.mark.parametrize("given, fault", [(["--tls-cert-file", "x"], "given together"), (["--tls-client-ca-file", "x"], "without tls-cert-file"),
                                          (["--tls-cert-file", "/nowhere", "--tls-key-file", "/nowhere"], "/nowhere: No such file")])
def test_settings_that_make_no_sense_are_told(given, fault, tmp_path):
    ended = subprocess.run([PROGRAM, "dev", "--data-dir", tmp_path / "data", "--order-port", "0", "--inventory-port", "0", "--relay-port", "0", *given],
                           capture_output=True, text=True, timeout=60, env={}, check=False)
    assert ended.returncode in (1, 2) and fault in ended.stderr, ended
