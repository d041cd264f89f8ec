"""Clients that pipeline, read nothing or send slowly, while others must be answered as usual."""
import concurrent.futures
import contextlib
import http.client
import io
import json
import pathlib
import re
import socket
import time
import uuid

import pytest

from harness import CALL_TIMEOUT, Answer, Client, order_body, wait_until
from programs import make_program

AT_ONCE = 1.0  # seconds; far above what an answer takes
GROWTH_MAX = 64  # MiB
TURNS = 20  # a list beside four others that ask for 64 each may take as long as 20 alone; without turns it waits for most of 256


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    made, undo = make_program("sqlite", tmp_path_factory.mktemp("slow"))
    yield made.start()
    made.end()
    undo()


@pytest.fixture
def clients():
    """connect() opens a connection from a loopback address; all close with the test."""
    with contextlib.ExitStack() as stack:
        def connect(program, source="127.0.0.1", receive_bytes=None):
            connection = stack.enter_context(socket.socket())
            if receive_bytes:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            connection.settimeout(CALL_TIMEOUT)
            connection.bind((source, 0))
            connection.connect(("127.0.0.1", program.ports["order"]))
            return connection
        yield connect


def request_for(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def resident(program):
    """MiB"""
    status = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def metric(program, name):
    text = program.client().get("/actuator/prometheus").body.decode()
    return float(re.search(rf"^{re.escape(name)} (\S+)", text, re.MULTILINE)[1])


def limit_reached(program, limit):
    return metric(program, f'http_server_limit_reached_total{{limit="{limit}"}}')


def timed_get(client, path):
    began = time.monotonic()
    status = client.get(path).status
    return status, time.monotonic() - began


class OneReader(io.BufferedReader):
    """Of all answers of a connection: what it has read beyond one of them belongs to the next."""

    def makefile(self, *_):
        return self

    def close(self):
        """An answer that was read closes its reader."""


def read_lists(connection, count):
    """The statuses of `count` answers."""
    statuses = []
    reader = OneReader(socket.SocketIO(connection, "r"))
    for _ in range(count):
        response = http.client.HTTPResponse(reader)
        response.begin()
        statuses.append(Answer(response).status)
    return statuses


# A text that all answers share, and one that is made for each.
@pytest.mark.parametrize("path", ["/openapi.json", "/actuator/prometheus"])
def test_clients_that_read_nothing_cost_little(program, clients, path):
    probe = program.client()
    assert probe.get(path).status == 200
    before = resident(program)
    held_back = held_back_clients(program)
    slowest = 0
    for _ in range(100):
        clients(program, receive_bytes=2048).sendall(request_for(path) * 64)
        status, took = timed_get(probe, "/actuator/health/readiness")
        slowest = max(slowest, took)
        assert status == 200
    wait_until(lambda: held_back_clients(program) >= held_back + 100, 20, "all clients being held back")
    growth = resident(program) - before
    print(f"100 clients that pipeline 64 requests each and read nothing: {growth:.0f} MiB, the slowest readiness {slowest * 1000:.0f} ms")
    assert growth < GROWTH_MAX
    assert slowest < AT_ONCE


def held_back_clients(program):
    return limit_reached(program, "pipelined") + limit_reached(program, "unsent_bytes")


def test_slow_bulk_clients_hold_no_worker(program, clients):
    head = b"POST /api/orders/bulk HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    line = json.dumps(order_body(("SLOW", 1)) | {"idempotencyKey": uuid.uuid4().hex}).encode()
    slow = []
    for _ in range(16):
        connection = clients(program)
        connection.sendall(head + b"%x\r\n%s\r\n" % (len(line) // 2, line[: len(line) // 2]))
        slow.append(connection)
    took = []
    for number in range(5):
        whole = json.dumps(order_body(("QUICK", 1)) | {"idempotencyKey": uuid.uuid4().hex}).encode() + b"\n"
        began = time.monotonic()
        answer = program.client().call("POST", "/api/orders/bulk", whole, {"Content-Type": "application/x-ndjson"})
        took.append(time.monotonic() - began)
        assert answer.status == 200 and json.loads(answer.body)["status"] == 201, answer.body
    print(f"the slowest bulk request beside 16 slow ones took {max(took) * 1000:.0f} ms")
    assert max(took) < AT_ONCE
    rest = line[len(line) // 2:]
    slow[0].sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest))
    response = http.client.HTTPResponse(slow[0])
    response.begin()
    assert json.loads(response.read())["status"] == 201


def test_pipelined_lists_leave_room_for_others(program, clients):
    lines = b"".join(json.dumps(order_body(*((f"L-{sku}", 1) for sku in range(5))) | {"idempotencyKey": uuid.uuid4().hex}).encode() + b"\n"
                     for _ in range(200))
    placed = program.client().call("POST", "/api/orders/bulk", lines, {"Content-Type": "application/x-ndjson"})
    assert placed.status == 200 and placed.body.count(b'"status":201') == 200
    greedy = [clients(program, f"127.0.0.{number}") for number in range(2, 6)]
    path = "/api/orders?limit=200"
    other = Client(program.ports["order"])
    alone = max(timed_get(other, path)[1] for _ in range(3))
    for connection in greedy:
        connection.sendall(request_for(path) * 64)
    with concurrent.futures.ThreadPoolExecutor(len(greedy)) as threads:
        reading = [threads.submit(read_lists, connection, 64) for connection in greedy]
        try:
            calls = [timed_get(other, path) for _ in range(5)]
            print(f"lists, alone {alone:.2f} s, beside 4 clients with 64 each: " + ", ".join(f"{took:.2f} s" for _, took in calls))
            assert {status for status, _ in calls} == {200}
            assert max(took for _, took in calls) < TURNS * alone
            assert not any(task.done() for task in reading), "the others were at work all the time"
        finally:
            for connection in greedy:
                connection.shutdown(socket.SHUT_RDWR)
    assert limit_reached(program, "in_work") >= 4
