"""Traces and exported logs of the three programs on PostgreSQL, Kafka and Redis: one order is one trace; a collector of the test's own reads it."""
import json
import socket

import pytest

from cluster import Cluster, shop
from harness import Client, in_parallel, order_body, wait_until
from otlp_sink import Sink
from traces import CONFIRMED, ORDER, RELAY, STOCK, Caller, assert_tells_the_order

KINDS = ("order", "inventory", "relay")


@pytest.fixture
def sink():
    its = Sink()
    yield its
    its.close()
    assert not its.faults, "\n".join(its.faults[:20])


@pytest.fixture
def traced(servers, tmp_path, sink):
    """start(**settings): the three services, which send to the sink every 100 ms; the settings are those of all three."""
    clusters = []

    def start(**settings):
        ours = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_BSP_SCHEDULE_DELAY": 100} | settings
        cluster = Cluster(servers.up(), tmp_path, **{kind: ours for kind in KINDS})
        clusters.append(cluster)
        cluster.start(*KINDS)
        return cluster
    yield start
    for cluster in clusters:
        cluster.end()


def place(its, sku, caller, **more):
    return its.orders.post("/api/orders?wait=confirmed", order_body((sku, 1), **more), caller.headers).expect(201)


def whole_trace(sink, caller, count=len(CONFIRMED)):
    """Waits until the sink has at least this many spans of the trace, and returns them."""
    wait_until(lambda: len(sink.trace(caller.trace)) >= count, 20, f"{count} spans of {caller.trace}: {sink.trace(caller.trace)}")
    return sink.trace(caller.trace)


def dropped(process, reason):
    return process.samples("trackops_traces_dropped_total").get(f'reason="{reason}"', 0)


def test_one_order_is_one_trace_through_three_services(traced, sink):
    its = shop(traced(TRACE_SLOW="1h").processes)  # the first order waits for the consumer groups, which may take its second
    sku = its.new_sku(10)
    unsampled = Caller(sampled=False)
    assert place(its, sku, unsampled)["status"] == "CONFIRMED"
    caller = Caller()
    order = place(its, sku, caller)
    assert order["status"] == "CONFIRMED"
    spans = whole_trace(sink, caller)
    assert_tells_the_order(spans, caller, order)
    assert {span.service for span in spans} == {ORDER, STOCK, RELAY}
    # The unsampled order went the same way before it, so nothing of it is still to come.
    assert not sink.trace(unsampled.trace)


def test_orders_of_one_batch_keep_their_traces_and_are_linked(traced, sink):
    cluster = traced()
    its = shop(cluster.processes)
    sku = its.new_sku(100_000)
    port = its.program.ports["order"]

    def wave():
        callers = [Caller() for _ in range(24)]
        in_parallel(len(callers), lambda i: Client(port).post("/api/orders", order_body((sku, 1)), callers[i].headers).expect(201))
        traces = [whole_trace(sink, caller) for caller in callers]
        for spans, caller in zip(traces, callers):
            assert len({span.name for span in spans}) == len(spans) == len(CONFIRMED), spans
            assert {span.trace for span in spans} == {caller.trace}
        return {(span.trace, span.id): span for spans in traces for span in spans}

    def shared_batches():
        spans = wave()
        batches = [span for span in spans.values() if span.name == "place orders"]
        for batch in batches:
            assert all(link in spans for link in batch.links), batch
        return spans, [batch for batch in batches if len(batch.links) > 1]

    spans, leaders = wait_until(lambda: (found := shared_batches())[1] and found, 60, "orders sharing a transaction")
    for leader in leaders:
        assert {spans[link].name for link in leader.links} == {"POST /api/orders"}, leader
        assert all(trace != leader.trace for trace, _ in leader.links), "it links to the other requests of the batch"
        assert int(leader.attributes["trackops.batch.size"]) == len(leader.links) + 1
        followers = [span for span in spans.values() if (leader.trace, leader.id) in span.links]
        assert len(followers) == len(leader.links)
        for follower in followers:
            assert (follower.start, follower.end, follower.name) == (leader.start, leader.end, "place orders")


def test_a_slow_request_is_sent_in_part(traced, sink):
    its = shop(traced(TRACE_SLOW="1ms").processes)
    sku = its.new_sku(10)
    caller = Caller(sampled=False)
    place(its, sku, caller)  # waits for the confirmation: some milliseconds at least
    spans = whole_trace(sink, caller, 1)
    wait_until(lambda: "POST /api/orders" in {span.name for span in sink.trace(caller.trace)}, 20, "the request's own span")
    spans = sink.trace(caller.trace)
    assert all(span.partial for span in spans), spans
    assert not any(span.name.startswith(("outbox", "send")) for span in spans), "only a service's own work is sent of an unsampled trace"
    request = next(span for span in spans if span.name == "POST /api/orders")
    assert request.parent == caller.span and not request.failed and request.end - request.start >= 1_000_000


def test_a_failed_request_is_sent_in_part(traced, sink, servers):
    cluster = traced(OTEL_TRACES_SAMPLER="always_off")
    its = shop(cluster.processes)
    sku = its.new_sku(10)
    caller = Caller()  # its flag counts for nothing: the sampler follows no parent
    servers.run("down", "postgres")
    try:
        its.orders.post("/api/orders", order_body((sku, 1)), caller.headers).problem(503, "unavailable")
        spans = whole_trace(sink, caller, 1)
    finally:
        servers.up("postgres")
    request = next(span for span in spans if span.name == "POST /api/orders")
    assert request.partial and request.failed and request.service == ORDER
    assert request.attributes["error.type"] == "503" and request.attributes["trackops.problem.code"] == "unavailable"


def test_a_collector_that_is_away_costs_no_order(traced, sink):
    with socket.create_server(("127.0.0.1", 0)) as held:
        nobody = f"http://127.0.0.1:{held.getsockname()[1]}"
    cluster = traced(OTEL_EXPORTER_OTLP_ENDPOINT=nobody, OTEL_TRACES_SAMPLER="always_on", OTEL_BSP_MAX_QUEUE_SIZE=8, OTEL_BSP_EXPORT_TIMEOUT=300)
    its = shop(cluster.processes)
    sku = its.new_sku(1000)
    for _ in range(30):
        assert place(its, sku, Caller())["status"] == "CONFIRMED"
    for process in cluster.processes:
        wait_until(lambda process=process: dropped(process, "queue_full") > 0, 20, f"{process.kind} dropping spans")
        wait_until(lambda process=process: dropped(process, "unsent") > 0, 20, f"{process.kind} giving up a batch")
        assert sum(process.samples("trackops_traces_export_failures_total").values()) > 0
        assert process.samples("trackops_traces_queued_spans")[""] <= 8
        # The fixture's servers may still be starting for a process; a collector that is away would keep it from UP for ever.
        wait_until(lambda process=process: process.health()["status"] == "UP", 20, f"{process.kind} being UP, not {process.health()}")
    assert sink.requests == 0
    cluster.check()
    for process in cluster.processes:
        assert process.stop() == 0


def test_what_the_collector_cannot_take_now_comes_again(traced, sink):
    sink.status = 503
    its = shop(traced().processes)
    sku = its.new_sku(10)
    caller = Caller()
    order = place(its, sku, caller)
    wait_until(lambda: sink.requests >= 3, 20, "three services being refused")
    assert not sink.spans
    sink.status = 200
    assert_tells_the_order(whole_trace(sink, caller), caller, order)


def test_the_logs_of_three_services_are_in_one_place(traced, sink):
    cluster = traced(OTEL_LOGS_EXPORTER="otlp", LOG_LEVEL="debug", OTEL_TRACES_SAMPLER="always_on", OTEL_EXPORTER_OTLP_HEADERS="api-key=s3cret")
    its = shop(cluster.processes)
    sku = its.new_sku(10)
    person = {"line1": "17 Lilac Lane", "city": "Ambridge", "postalCode": "BO1 1AA", "country": "GB"}
    order = place(its, sku, Caller(), shippingAddress=person, deliveryInstructions="ring twice for Mrs Snell")
    for process in cluster.processes:
        caller = Caller()
        answer = process.client().get("/api/nothing/of/this/name", caller.headers).problem(404, "not-found")
        assert answer["traceId"] == caller.trace
        lines = wait_until(lambda caller=caller: sink.lines_of(caller.trace), 20, f"the line of a refusal by {process.kind}")
        service = {"order": ORDER, "inventory": STOCK, "relay": RELAY}[process.kind]
        assert {line.service for line in lines} == {service}
        assert [line for line in lines if line.message == "refused a request" and line.attributes["code"] == "not-found" and line.severity == "INFO"]
        own = [json.loads(line) for line in process.log.read_text().splitlines() if caller.trace in line]
        assert own and {line["service"] for line in own} == {service}, "the same line stands on standard error"
        assert {line["span_id"] for line in own} == {line.span for line in lines}
    assert all(headers.get("api-key") == "s3cret" for headers in sink.headers)
    written = "".join(sink.bodies) + "".join(process.log.read_text() for process in cluster.processes)
    for private in ("Lilac", "Ambridge", "Snell", order["customerId"], "s3cret"):
        assert private not in written
