"""Names and limits of parameters, headers and members of bodies: the program takes what contracts/ has, and nothing else."""
import copy
import json
import re
import uuid

import pytest

from calls import Call, make
from calls import OPERATIONS_OF_DEV as OPERATIONS
from conformance import FILES, contract_of, names_in
from harness import ROOT

STRICT = [row for row in OPERATIONS if Call(None, *row).operation.get("x-unknown-parameters") != "ignored"]
WITH_JSON = [(service, operation_id, example) for service, operation_id in OPERATIONS
             for example in Call(None, service, operation_id).examples() if "application/json" in Call(None, service, operation_id).bodies()]


def ids(rows):
    return ["-".join(row) for row in rows]


def query_names():
    """Every name of a query parameter in the sources."""
    names = set()
    for path in (ROOT / "src").rglob("*.cpp"):
        if not path.name.endswith("_test.cpp"):
            source = path.read_text()
            for start in ("QueryReader in(request,", "check_query(request,"):
                names |= {name for found in names_in(source, start) for name in found}
    return names


def faults_of(answer):
    """{pointer: codes} of a 422, else {}."""
    found = {}
    if answer.status == 422:
        for fault in answer.json().get("errors", []):
            found.setdefault(fault["pointer"], set()).add(fault["code"])
    return found


def test_the_sources_have_names():
    assert {"limit", "cursor", "status", "sku", "wait", "lowStock", "state"} <= query_names()


@pytest.mark.parametrize("service,operation_id", STRICT, ids=ids(STRICT))
def test_the_query_parameters_are_the_documented_ones(world, service, operation_id):
    """Each name that any operation knows is unknown to this one, or documented."""
    call = make(world, service, operation_id)
    documented = {one["name"] for one in call.parameters if one["in"] == "query"}
    assert documented <= query_names()
    call.query = "&".join(f"{name}=x" for name in sorted(query_names() | {"colour"}))
    unknown = {pointer for pointer, codes in faults_of(call.send()).items() if "unknown" in codes}
    assert unknown == query_names() - documented | {"colour"}


@pytest.mark.parametrize("service,operation_id", OPERATIONS, ids=ids(OPERATIONS))
def test_the_headers_are_the_documented_ones(world, service, operation_id):
    call = make(world, service, operation_id)
    documented = {one["name"] for one in call.parameters if one["in"] == "header"}
    call.headers["Idempotency-Key"] = '"not closed'
    is_read = "Idempotency-Key" in faults_of(call.send())
    assert is_read is ("Idempotency-Key" in documented)
    if operation_id == "retryRelayEvent":
        return
    for name, value in (("If-Match", '"999"'), ("If-None-Match", "*")):
        call = make(world, service, operation_id)
        call.headers[name] = value
        assert (call.send().status in (304, 412)) is (name in documented), name


def objects_in(contract, schema, value, pointer=""):
    """(pointer, schema of the object, the object) for the value and the objects in it that have named members."""
    schema = dereferenced(contract, schema)
    if isinstance(value, dict) and "properties" in schema:
        yield pointer, schema, value
        for name, member in value.items():
            yield from objects_in(contract, schema["properties"].get(name, {}), member, f"{pointer}/{name}")
    elif isinstance(value, list) and value and "items" in schema:
        yield from objects_in(contract, schema["items"], value[0], f"{pointer}/0")


def dereferenced(contract, schema):
    """The schema with the members of what it refers to."""
    while "$ref" in schema:
        own = {name: member for name, member in schema.items() if name != "$ref"}
        schema = contract.seen({"$ref": schema["$ref"]}) | own
    return schema


def put(body, pointer, value):
    """A copy of the body with another value at a JSON pointer."""
    changed = copy.deepcopy(body)
    *path, last = pointer.split("/")[1:]
    place = changed
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    place[last] = value
    return changed


def body_names():
    """Every name of a member of a body in the sources."""
    readers = [path for service in ("order", "inventory") for path in (ROOT / f"src/{service}/adapters").glob("read_*.cpp")]
    pattern = re.compile(r'\b(?:text|maybe_text|integer|maybe_integer|uuid|object|array|any|\w*patch_of)\(\s*(?:in,\s*)?"(\w+)"')
    return {name for path in readers for name in pattern.findall(path.read_text())}


@pytest.mark.parametrize("service,operation_id,example", WITH_JSON, ids=ids(WITH_JSON))
def test_the_members_of_a_body_are_the_documented_ones(world, service, operation_id, example):
    """At each level of the example: each name that any body has is unknown there, or documented."""
    assert {"sku", "customerId", "delta", "carrier", "reason", "postalCode", "lowStockThreshold"} <= body_names()
    call = Call(world, service, operation_id, example)
    content = call.bodies()["application/json"]
    for pointer, schema, value in list(objects_in(call.contract, content["schema"], call.body)):
        documented = set(schema.get("properties", {}))
        if "allOf" in schema:  # members that only some values of another one allow
            documented = {name for name in documented if not call.contract.faults(content["schema"], call.body | {name: probe(call, schema, name)})}
        changed = call.body
        for name in (body_names() | {"colour"}) - value.keys():
            changed = put(changed, f"{pointer}/{name}", {})
        sent = Call(world, service, operation_id, example).fill()
        sent.body = changed
        unknown = {place.removeprefix(f"{pointer}/") for place, codes in faults_of(sent.send()).items() if "unknown" in codes}
        assert unknown == (body_names() | {"colour"}) - documented - value.keys(), f"in {pointer or 'the body'}"


def probe(call, schema, name):
    kind = dereferenced(call.contract, schema["properties"][name])
    return "CHANGED_MIND" if "pattern" in kind else kind.get("enum", ["x"])[0]


def edges(schema):
    """(a value, whether the schema alone takes it) at the limits of a schema."""
    kinds = schema.get("type", [])
    if "string" in kinds and "maxLength" in schema:
        yield "A" * schema["maxLength"], True
        yield "A" * (schema["maxLength"] + 1), False
        yield "", schema.get("minLength", 0) == 0
    if "string" in kinds and "pattern" in schema:
        yield "a\x01b", False
    if "integer" in kinds:
        for name, step in (("minimum", -1), ("maximum", 1)):
            if name in schema:
                yield schema[name], schema[name] != schema.get("not", {}).get("const")
                yield schema[name] + step, False
        if "not" in schema:
            yield schema["not"]["const"], False
    for value in schema.get("not", {}).get("enum", []):
        yield value, False
    if "enum" in schema:
        yield "LOST", False
    yield None, "null" in kinds
    yield [1], "array" in kinds


@pytest.mark.parametrize("service,operation_id,example", WITH_JSON, ids=ids(WITH_JSON))
def test_the_limits_of_a_body_are_the_documented_ones(world, service, operation_id, example):
    call = Call(world, service, operation_id, example)
    target = Call(world, service, operation_id, example).fill()
    whole = call.bodies()["application/json"]["schema"]
    for pointer, schema, value in objects_in(call.contract, whole, call.body):
        for name in value:
            kind = dereferenced(call.contract, schema["properties"][name])
            if kind.get("type") in ("object", "array") or "const" in kind:
                continue
            for edge, _ in edges(kind):
                place = f"{pointer}/{name}"
                target.body = put(call.body, place, edge)
                target.headers["If-Match"] = '"999"'  # whatever is valid changes nothing
                if call.operation["x-idempotency"] == "required":
                    target.headers["Idempotency-Key"] = uuid.uuid4().hex
                if operation_id == "createItem" and name != "sku":
                    target.body["sku"] = f"N-{uuid.uuid4().hex[:12]}"
                expected = call.contract.faults(whole, target.body)
                found = faults_of(target.send())
                # Sums of amounts have limits of their own, and the postal codes of a country a form of their own.
                own = {"format"} if name == "postalCode" else {"mismatch"}
                is_refused = bool(found) if expected else bool(found.get(place, set()) - own)
                assert is_refused is bool(expected), f"{place} = {json.dumps(edge)[:100]}: {found}, expected {expected}"


@pytest.mark.parametrize("service,operation_id", STRICT, ids=ids(STRICT))
def test_the_limits_of_the_query_are_the_documented_ones(world, service, operation_id):
    call = make(world, service, operation_id)
    for one in call.parameters:
        kind = dereferenced(call.contract, one["schema"])
        if one["in"] != "query" or kind["type"] in ("array", "boolean") or kind.get("format") or "const" in kind:
            continue
        for edge, is_taken in edges(kind):
            if isinstance(edge, (str, int)) and "\x01" not in str(edge):
                call.query = f"{one['name']}={edge}"
                assert (call.send().status != 422) is (is_taken or edge == ""), call.query  # an empty filter is no filter


def test_every_header_that_the_sources_read_is_documented():
    of_http = {"host", "content-type", "content-encoding", "origin", "sec-fetch-site", "access-control-request-method"}
    read, documented = set(), set()
    for folder in ("order/adapters", "inventory/adapters", "platform/http", "platform/relay"):
        for path in (ROOT / "src" / folder).glob("*.cpp"):
            if not path.name.endswith("_test.cpp"):
                read |= set(re.findall(r'(?:header\(|joined\(request, )"([a-z-]+)"', path.read_text()))
    read |= set(re.findall(r'name == "([a-z-]+)"', (ROOT / "src/platform/http/trace_context.cpp").read_text()))
    for contract in map(contract_of, FILES):
        documented |= {one["name"].lower() for _, _, item, operation in contract.operations
                       for one in contract.parameters(item, operation) if one["in"] == "header"}
    assert documented == read - of_http
