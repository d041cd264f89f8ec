"""Starts the real program and talks to it as a client would."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TRACKOPS_TEST_BIN", str(ROOT / "build/release/bin/trackops"))
START_TIMEOUT = 30  # seconds; far above what it takes, so that only a fault meets it
CALL_TIMEOUT = 30


def wait_until(condition, timeout=20, what="the condition"):
    """The first true answer of condition(). Looks often: what is waited for is usually milliseconds away."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s; last: {answer!r}")
        time.sleep(0.01)


def in_parallel(count, work):
    """work(0) .. work(count - 1), each on a thread of its own; their results in order."""
    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))


def all_at_once(count, connect, ask):
    """The answers of ask(client) for `count` clients of connect() at one moment. Each has its connection open before."""
    together = threading.Barrier(count)

    def call(_):
        client = connect()
        client.get("/actuator/health/liveness").expect(200)
        together.wait(timeout=30)
        answer = ask(client)
        client.close()
        return answer
    return in_parallel(count, call)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def expect(self, status):
        assert self.status == status, f"{self.status} instead of {status}: {self.body[:2000]!r}"
        return self.json() if self.body else None

    def problem(self, status, code):
        """The body of a problem+json answer, complete as RFC 9457 and the contracts ask."""
        body = self.expect(status)
        assert self.headers["content-type"].startswith("application/problem+json"), self.headers
        assert {"type", "title", "status", "detail", "code", "traceId"} <= body.keys(), body
        assert (body["status"], body["code"]) == (status, code), body
        return body


class Client:
    """One keep-alive connection. Not for several threads at once."""
    default_headers = {}  # of every request of every client; the headers of a call come before them

    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_TIMEOUT)

    def call(self, method, path, body=None, headers=None):
        """body: bytes are sent as they are, anything else as JSON. A new order gets a key of its own; the header None means no header.
        OSError or HTTPException when no answer came."""
        headers = self.default_headers | (headers or {})
        if method == "POST" and path.partition("?")[0] == "/api/orders" and not any(name.lower() == "idempotency-key" for name in headers):
            headers["Idempotency-Key"] = str(uuid.uuid4())
        headers = {name: value for name, value in headers.items() if value is not None}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            self.connection.request(method, path, body, headers)
            return Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def get(self, path, headers=None):
        return self.call("GET", path, None, headers)

    def post(self, path, body=None, headers=None):
        return self.call("POST", path, body, headers)

    def close(self):
        self.connection.close()


NO_ANSWER = (OSError, http.client.HTTPException)


def send_raw(port, request):
    """For what http.client would not send: writes the bytes as far as they are taken, then reads one answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=CALL_TIMEOUT) as connection:
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused early; the answer is there to be read
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response)


class Program:
    """`trackops dev` on a folder and two databases that outlive it, so that it can be ended and started again."""

    def __init__(self, folder, order_database, inventory_database):
        self.folder = pathlib.Path(folder)
        self.order_database = order_database
        self.inventory_database = inventory_database
        self.process = None
        self.ports = {}
        self.ready_after = None  # seconds from start to ready
        self.starts = 0

    def spawn(self, *more):
        """Only starts the process. The environment names nothing of ours, so that the flags alone decide."""
        self.starts += 1
        log = open(self.folder / f"log.{self.starts}", "wb")
        arguments = [PROGRAM, "dev", "--data-dir", str(self.folder / "data"), "--order-port", "0", "--inventory-port", "0", "--relay-port", "0",
                     "--order-database-url", self.order_database, "--inventory-database-url", self.inventory_database, *more]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKOPS_", "OTEL_"))}
        with log:
            return subprocess.Popen(arguments, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=self.folder)

    def start(self, *more):
        ports = self.folder / "data/ports.json"
        ports.unlink(missing_ok=True)
        started = time.monotonic()
        self.process = self.spawn(*more)
        while not ports.exists():
            if self.process.poll() is not None:
                raise AssertionError(f"trackops dev ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() - started > START_TIMEOUT:
                raise AssertionError(f"trackops dev was not ready within {START_TIMEOUT} s:\n{self.log_tail()}")
            time.sleep(0.002)
        self.ready_after = time.monotonic() - started
        self.ports = json.loads(ports.read_text())
        return self

    def client(self, service="order"):
        return Client(self.ports[service])

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, timeout=30):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill()

    def log_tail(self):
        path = self.folder / f"log.{self.starts}"
        return path.read_text(errors="replace")[-4000:] if path.exists() else "(no log)"


def new_customer():
    return str(uuid.uuid4())


def order_body(*lines, **more):
    """lines: (sku, quantity) each."""
    return {"customerId": new_customer(), "currency": "GBP",
            "items": [{"sku": sku, "quantity": quantity, "unitAmount": 250} for sku, quantity in lines],
            "shippingAddress": {"line1": "1 High Street", "city": "London", "postalCode": "N1 1AA", "country": "GB"}} | more


class Shop:
    """A running program in a shopkeeper's words. Each call goes over the connection of the thread that makes it."""

    def __init__(self, program):
        self.program = program
        self.orders = program.client("order")
        self.inventory = program.client("inventory") if "inventory" in program.ports else None

    def new_sku(self, on_hand):
        sku = f"T-{uuid.uuid4().hex[:12]}"
        item = {"sku": sku, "name": "A thing to sell", "onHand": on_hand}
        self.inventory.post("/api/inventory/items", item).expect(201)
        return sku

    def stock(self, sku):
        """(on hand, reserved, available)"""
        item = self.inventory.get(f"/api/inventory/items/{sku}").expect(200)
        return item["onHand"], item["reserved"], item["available"]

    def stock_becomes(self, sku, on_hand, reserved, available):
        wanted = (on_hand, reserved, available)
        seen = []

        def is_there():
            seen[:] = self.stock(sku)
            return tuple(seen) == wanted
        try:
            wait_until(is_there, what=f"the stock of {sku} being {wanted}")
        except AssertionError as failure:
            raise AssertionError(f"{failure}; last seen {seen}") from None

    def place(self, *lines, **more):
        return self.orders.post("/api/orders", order_body(*lines, **more)).expect(201)

    def order(self, order_id):
        return self.orders.get(f"/api/orders/{order_id}").expect(200)

    def becomes(self, order_id, status, timeout=20):
        """The order, once it has reached the status; fails at once when it has ended in another one."""
        def is_there():
            order = self.order(order_id)
            assert order["status"] in (status, "PENDING", "CONFIRMED", "PROCESSING", "SHIPPED"), f"order {order_id} should become {status}: {order}"
            return order if order["status"] == status else None
        return wait_until(is_there, timeout, f"order {order_id} being {status}")

    def place_confirmed(self, *lines, **more):
        return self.becomes(self.place(*lines, **more)["id"], "CONFIRMED")

    def change(self, order_id, action, body=None, headers=None):
        return self.orders.post(f"/api/orders/{order_id}/{action}", body, headers)

    def sagas(self, order_id):
        """{type: saga} of one order."""
        page = self.orders.get(f"/api/sagas?orderId={order_id}").expect(200)
        return {saga["type"]: saga for saga in page["items"]}

    def saga_becomes(self, order_id, kind, status):
        return wait_until(lambda: (self.sagas(order_id).get(kind) or {}).get("status") == status,
                          what=f"saga {kind} of {order_id} being {status}")

    def reservations(self, order_id):
        return self.inventory.get(f"/api/inventory/reservations?orderId={order_id}").expect(200)["items"]

    def everything(self, path):
        """All items of a list, page after page."""
        items, cursor = [], None
        while True:
            joint = "&" if "?" in path else "?"
            page = self.orders.get(path + (f"{joint}cursor={cursor}" if cursor else "")).expect(200)
            items += page["items"]
            cursor = page["nextCursor"]
            if not cursor:
                return items

    def comes_to_rest(self, timeout=60):
        """Until no order is PENDING and no saga has anything left to do."""
        for path in ("/api/orders?status=PENDING", "/api/sagas?status=RUNNING", "/api/sagas?status=COMPENSATING"):
            wait_until(lambda path=path: not self.orders.get(path + "&limit=1").expect(200)["items"], timeout, f"{path} being empty")
