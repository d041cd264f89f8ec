"""The trace of one order, as it must come out of the three services."""
import uuid

# (service, name, kind, the parent's name); "client" is the span of the caller.
SERVER, INTERNAL, PRODUCER, CONSUMER = 2, 1, 4, 5
ORDER, STOCK, RELAY = "order-service", "inventory-service", "event-relay-service"
CONFIRMED = [
    (ORDER, "POST /api/orders", SERVER, "client"),
    (ORDER, "place orders", INTERNAL, "POST /api/orders"),
    (RELAY, "outbox ORDER_CREATED", INTERNAL, "POST /api/orders"),
    (RELAY, "send ORDER_CREATED", PRODUCER, "outbox ORDER_CREATED"),
    (STOCK, "process ORDER_CREATED", CONSUMER, "send ORDER_CREATED"),
    (STOCK, "reserve stock", INTERNAL, "process ORDER_CREATED"),
    (STOCK, "outbox INVENTORY_RESERVED", INTERNAL, "process ORDER_CREATED"),
    (STOCK, "send INVENTORY_RESERVED", PRODUCER, "outbox INVENTORY_RESERVED"),
    (ORDER, "process INVENTORY_RESERVED", CONSUMER, "send INVENTORY_RESERVED"),
    (ORDER, "advance sagas", INTERNAL, "process INVENTORY_RESERVED"),
    (RELAY, "outbox ORDER_STATUS_UPDATED", INTERNAL, "process INVENTORY_RESERVED"),
    (RELAY, "send ORDER_STATUS_UPDATED", PRODUCER, "outbox ORDER_STATUS_UPDATED"),
    (STOCK, "process ORDER_STATUS_UPDATED", CONSUMER, "send ORDER_STATUS_UPDATED"),
]
TRANSACTIONS = {"place orders", "reserve stock", "advance sagas"}  # of several traces, so they have no tracestate


class Caller:
    """A client with a span of its own, which it says is recorded or not."""

    def __init__(self, sampled=True):
        self.trace, self.span = uuid.uuid4().hex, uuid.uuid4().hex[:16]
        self.headers = {"traceparent": f"00-{self.trace}-{self.span}-{'01' if sampled else '00'}", "tracestate": "shop=1"}


def tree_of(spans, caller):
    """[(service, name, kind, the parent's name)], sorted. A parent that is nowhere is "?"."""
    names = {span.id: span.name for span in spans} | {caller.span: "client"}
    return sorted((span.service, span.name, span.kind, names.get(span.parent, "?")) for span in spans)


def assert_tells_the_order(spans, caller, order):
    assert tree_of(spans, caller) == sorted(CONFIRMED)
    assert len({span.id for span in spans}) == len(spans)
    named = {span.name: span for span in spans}
    for span in spans:
        assert span.start <= span.end, span
        assert span.state == ("shop=1" if span.name not in TRANSACTIONS else None), span
        assert not span.failed and not span.partial, span
        assert span.resource["service.version"] and span.resource["telemetry.sdk.name"] == "trackops"
    request = named["POST /api/orders"].attributes
    assert (request["http.request.method"], request["http.route"], request["url.path"]) == ("POST", "/api/orders", "/api/orders")
    assert request["http.response.status_code"] == "201"
    for name in ("send ORDER_CREATED", "process ORDER_CREATED", "send INVENTORY_RESERVED", "process INVENTORY_RESERVED"):
        attributes = named[name].attributes
        assert attributes["messaging.system"] == "kafka" and attributes["messaging.destination.name"] == name.split()[1]
        assert attributes["messaging.kafka.message.key"] == order["id"]
    assert named["process ORDER_CREATED"].attributes["messaging.consumer.group.name"] == "inventory-service"
    assert named["send ORDER_CREATED"].attributes["messaging.message.id"] == named["process ORDER_CREATED"].attributes["messaging.message.id"]
    # The wait in the outbox begins with the order and ends with the sending.
    wait, sending = named["outbox ORDER_CREATED"], named["send ORDER_CREATED"]
    times = [named["POST /api/orders"].start, wait.start, wait.end, sending.start]
    assert times == sorted(times) and wait.end == sending.start, times
    assert named["process ORDER_CREATED"].start >= sending.start
    assert named["advance sagas"].end >= named["reserve stock"].start
