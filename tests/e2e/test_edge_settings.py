"""The settings of the HTTP server reach it: names, idle connections, the limit of open files."""
import resource
import socket
import subprocess

import pytest

from harness import PROGRAM, send_raw
from programs import make_program


@pytest.fixture
def program(tmp_path_factory):
    """Not started."""
    made, undo = make_program("sqlite", tmp_path_factory.mktemp("edge"))
    yield made
    made.end()
    undo()


def run(*arguments, open_files=None):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, open_files)
    return subprocess.run([PROGRAM, "dev", *arguments], capture_output=True, text=True, timeout=60, env={}, preexec_fn=limit if open_files else None)


def info_for(port, host):
    return send_raw(port, f"GET /actuator/info HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())


def test_a_public_host_is_a_name_of_each_service(program):
    program.start("--public-host", "Shop.example,order-service")
    for port in program.ports.values():
        for host in ("shop.example", "SHOP.EXAMPLE:443", "order-service:8080", "localhost"):
            info_for(port, host).expect(200)
        info_for(port, "inventory-service").problem(421, "misdirected-request")


def test_a_public_host_that_is_none_is_a_bad_setting():
    ended = run("--public-host", "http://shop.example")
    assert ended.returncode == 2 and "public-host" in ended.stderr, ended


def test_an_idle_connection_is_closed_after_its_time(program):
    program.start("--http-idle-timeout", "200ms")
    with socket.create_connection(("127.0.0.1", program.ports["order"]), timeout=30) as connection:
        assert connection.recv(1) == b""


def test_the_limit_of_open_files_is_raised_to_the_hard_limit(program):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    try:
        program.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with open(f"/proc/{program.process.pid}/limits") as limits:
        soft = next(line.split()[3] for line in limits if line.startswith("Max open files"))
    assert soft == ("unlimited" if hard == resource.RLIM_INFINITY else str(hard))


def test_a_hard_limit_that_is_too_low_is_told():
    told = run("--print-config", open_files=(512, 1024))
    assert told.returncode == 0 and "# the process may open 1024 files, but http-connections" in told.stdout, told
    assert "may open" not in run("--print-config", "--http-connections", "100", open_files=(512, 1024)).stdout
