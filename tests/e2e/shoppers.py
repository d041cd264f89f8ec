"""Customers that place, repeat, move and cancel orders against replicas that come and go, and remember what they were promised."""
import random
import threading
import time
import uuid

from harness import NO_ANSWER, Client, order_body

ACTIONS = ["process", "ship", "deliver", "cancel"]
THOUGHT = 0.02  # seconds between two requests of one shopper
PATIENCE = 60  # seconds that one request may be repeated


class Shopper:
    def __init__(self, seed, skus, replicas):
        self.chance = random.Random(seed)
        self.skus = skus
        self.replicas = replicas  # callable: the ports that may answer now
        self.promised = {}  # order id -> its newest answered body
        self.keys = {}  # idempotency key -> order id
        self.connection = None
        self.slowest = 0.0  # seconds of one answered request, repeats included

    def call(self, path, body=None, headers=None):
        """Repeats, on whichever replica is there, until an answer other than 503 comes."""
        began = time.monotonic()
        while True:
            assert time.monotonic() - began < PATIENCE, f"no answer to {path} for {PATIENCE} s"
            try:
                if self.connection is None:
                    self.connection = Client(self.chance.choice(self.replicas()))
                answer = self.connection.post(path, body, headers)
                if answer.status != 503:
                    self.slowest = max(self.slowest, time.monotonic() - began)
                    return answer
            except (*NO_ANSWER, IndexError):
                pass
            self.connection = None
            time.sleep(0.05)

    def place(self):
        key = str(uuid.UUID(int=self.chance.getrandbits(128)))
        lines = [(self.chance.choice(self.skus), self.chance.randint(1, 3)) for _ in range(self.chance.randint(1, 3))]
        body = order_body(*lines)
        order = self.call("/api/orders", body, {"Idempotency-Key": key}).expect(201)
        if self.chance.random() < 0.2:  # a client that did not hear the answer
            again = self.call("/api/orders", body, {"Idempotency-Key": key}).expect(201)
            assert again["id"] == order["id"], f"key {key} made two orders: {order['id']} and {again['id']}"
        self.promised[order["id"]] = order

    def move(self):
        order = self.chance.choice(list(self.promised)[-30:])
        answer = self.call(f"/api/orders/{order}/{self.chance.choice(ACTIONS)}")
        assert answer.status in (200, 409), answer.body  # 409: not there yet, or beyond it
        if answer.status == 200:
            self.promised[order] = answer.json()

    def shop(self, until):
        while not until.wait(THOUGHT):
            if self.promised and self.chance.random() < 0.4:
                self.move()
            else:
                self.place()


class Crowd:
    """Shoppers on threads of their own, between __enter__ and finish()."""

    def __init__(self, seed, count, skus, replicas):
        self.shoppers = [Shopper(seed * 1000 + number, skus, replicas) for number in range(count)]
        self.over = threading.Event()
        self.faults = []
        self.threads = [threading.Thread(target=self.run, args=(shopper,), daemon=True) for shopper in self.shoppers]
        for thread in self.threads:
            thread.start()

    def run(self, shopper):
        try:
            shopper.shop(self.over)
        except Exception as fault:  # told by finish(), on the test's own thread
            self.faults.append(fault)

    def placed(self):
        return sum(len(shopper.promised) for shopper in self.shoppers)

    def finish(self):
        """{order id: its newest answered body}"""
        self.over.set()
        for thread in self.threads:
            thread.join(PATIENCE + 30)
            assert not thread.is_alive(), "a shopper still waits for an answer"
        if self.faults:
            raise self.faults[0]
        return {order: body for shopper in self.shoppers for order, body in shopper.promised.items()}
