"""Each operation gives each answer that the contract has for it, and every example of a request works."""
import json
import uuid

import pytest

from calls import Call, make
from calls import OPERATIONS_OF_DEV as OPERATIONS
from conformance import FILES, contract_of
from harness import send_raw

# Answers that need an access file, a foreign page or host, a slow client, too many requests, a huge request, a defect or a server that is away. Other suites provoke them.
RARE = {"401", "403", "421", "408", "413", "429", "431", "500", "503"}
NO_ID = "0190aaaa-0000-7000-8000-000000000000"


def conflict(call, world):
    name = call.operation["operationId"]
    if name == "deleteOrder":  # of a cancelled order it succeeds
        call.names = {"id": world.order("SHIPPED")}
    elif call.path.startswith("/api/orders"):
        call.names = {"id": world.cancelled()}
    elif name == "createItem":
        call.body = call.body | {"sku": "85123A"}
    elif name == "createCustomer":
        call.body = call.body | {"id": world.customer()}
    elif name == "eraseCustomer":
        call.names = {"id": world.customer_with_order()}
    elif name == "addAddress":
        call.names = {"id": world.customer(addresses=100)}
    elif name == "adjustStock":
        call.body = call.body | {"delta": -1000}
    elif name == "deleteItem":
        call.names = {"sku": world.reserved_item()}
    elif name == "retryRelayEvent":
        world.system.client(call.service).post("/api/relay/pause").expect(200)


def invalid(call, _):
    if call.operation.get("x-unknown-parameters") == "ignored":
        call.query = "&".join(["a=1"] * 513)
    else:
        call.query = "colour=red"


SPOIL = {
    "304": lambda call, _: call.headers.update({"If-None-Match": "*"}),
    "400": lambda call, _: setattr(call, "query", "broken=%zz"),
    "404": lambda call, _: setattr(call, "names", {name: NO_ID for name in call.names}),
    "409": conflict,
    "412": lambda call, _: call.headers.update({"If-Match": '"999"'}),
    "415": lambda call, _: (call.headers.update({"Content-Type": "text/plain"}), setattr(call, "body", "now")),
    "422": invalid,
    "428": lambda call, _: call.headers.update({"Idempotency-Key": None}),
}


@pytest.mark.parametrize("service,operation_id", OPERATIONS, ids=["-".join(row) for row in OPERATIONS])
def test_each_documented_refusal_is_given(world, service, operation_id):
    """304 counts as one. What only a setting brings has x-setting, and a test of that setting.

    The contract has no status that no request gets, and none that this file cannot provoke.
    """
    documented = Call(world, service, operation_id).operation["responses"]
    refusals = sorted(status for status, answer in documented.items()
                      if status >= "304" and status not in RARE and "x-setting" not in contract_of(service).seen(answer))
    assert refusals
    for status in refusals:
        call = make(world, service, operation_id)
        SPOIL[status](call, world)
        try:
            assert call.send().status == int(status)
        finally:
            if operation_id == "retryRelayEvent":
                world.system.client(service).post("/api/relay/resume").expect(200)


@pytest.mark.parametrize("service,operation_id", OPERATIONS, ids=["-".join(row) for row in OPERATIONS])
def test_each_success_is_given_and_each_example_works(world, service, operation_id):
    """Requests without a body, and each example of a body. Each optional parameter with its example, too."""
    names = list(Call(world, service, operation_id).examples()) or [None]
    expected, = [int(status) for status in Call(world, service, operation_id).operation["responses"] if status < "304"]
    for name in names:
        call = Call(world, service, operation_id, name).fill()
        assert call.send().status == expected
    call = make(world, service, operation_id)
    for one in call.parameters:
        if one["in"] == "query" and not one.get("required"):
            value = str(one["example"]).lower() if isinstance(one["example"], bool) else one["example"]
            if call.method == "GET":  # each alone: all of them together find nothing
                call.query = "&".join(f"{one['name']}={each}" for each in (value if isinstance(value, list) else [value]))
                assert call.send().status == expected
            else:
                call.query += f"&{one['name']}={value}" if call.query else f"{one['name']}={value}"
        elif one["in"] == "header" and one["name"] != "Accept" and operation_id != "retryRelayEvent":
            call.headers[one["name"]] = uuid.uuid4().hex if one["name"] == "Idempotency-Key" else one["example"]
    if operation_id != "retryRelayEvent":
        assert call.send().status == expected


@pytest.mark.parametrize("service,operation_id", [row for row in OPERATIONS if row[1] not in ("listRelayEvents", "retryRelayEvent")],
                         ids=lambda value: value)
def test_a_repeat_with_the_same_key_is_replayed_where_the_contract_has_keys(world, service, operation_id):
    call = make(world, service, operation_id)
    call.headers["Idempotency-Key"] = uuid.uuid4().hex
    first, again = call.send(), call.send()
    is_replayed = call.operation["x-idempotency"] != "none"
    assert (again.headers.get("idempotency-replayed") == "true") is is_replayed
    if is_replayed:
        assert (again.status, again.body) == (first.status, first.body)


@pytest.mark.parametrize("service,operation_id", [row for row in OPERATIONS if row[1] not in ("getStart", "retryRelayEvent")], ids=lambda value: value)
def test_head_is_served_wherever_get_is(world, service, operation_id):
    call = make(world, service, operation_id)
    if call.method == "GET":
        call.method = "HEAD"
        answer = call.send()
        assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("service", FILES)
def test_a_body_above_the_limit_of_its_operation_is_refused(world, service):
    contract = contract_of(service)
    for method, path, _, operation in contract.operations:
        if not operation.get("requestBody") or "x-body-bytes-max" not in operation:
            continue
        call = make(world, service, operation["operationId"])
        limit = operation["x-body-bytes-max"]
        head = f"{method} {path.format(**call.names)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {next(iter(call.bodies()))}\r\n"
        answer = send_raw(world.system.ports[service], f"{head}Content-Length: {limit + 1}\r\n\r\n".encode())
        answer.problem(413, "too-large")
        assert not contract.faults_of(method, path, answer)


@pytest.mark.parametrize("service", FILES)
def test_each_example_of_an_answer_has_its_schema(service):
    contract, count = contract_of(service), 0
    seen = [response for _, _, _, operation in contract.operations for response in operation["responses"].values()]
    for response in map(contract.seen, seen):
        for kind, content in response.get("content", {}).items():
            if "example" in content:
                body = content["example"] if isinstance(content["example"], str) else json.dumps(content["example"])
                assert not list(contract.body_faults(kind, content, body.encode())), content["example"]
                count += 1
    assert count > 20


@pytest.mark.parametrize("service", FILES)
def test_each_example_of_a_parameter_has_its_schema(service):
    contract = contract_of(service)
    for method, path, item, operation in contract.operations:
        for one in contract.parameters(item, operation):
            assert not contract.faults(one["schema"], one["example"]), f"{method} {path} {one['name']}"


@pytest.mark.parametrize("service", FILES)
def test_each_example_of_a_body_has_its_schema(service):
    contract = contract_of(service)
    for _, _, _, operation in contract.operations:
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            for example in content["examples"].values():
                body = example["value"] if isinstance(example["value"], str) else json.dumps(example["value"])
                assert not list(contract.body_faults(kind, content, body.encode())), example["value"]


def test_what_no_operation_serves_is_answered_as_the_contract_says(system):
    for service in FILES:
        client = system.client(service)
        client.get("/nothing").problem(404, "not-found")
        answer = client.call("DELETE", "/actuator/info")
        answer.problem(405, "method-not-allowed")
        assert client.call("OPTIONS", "/actuator/info").headers["allow"] == answer.headers["allow"]
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
