"""The refusals of a service with an access file, held against the contract."""
import re

import pytest

from access_file import AccessFile, bearer
from calls import OPERATIONS
from conformance import FILES, CheckedClient, contract_of
from programs import make_program

IS_OPEN = "everybody"


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """(a program that knows one key, a key without any scope that an operation asks for)"""
    folder = tmp_path_factory.mktemp("closed")
    file = AccessFile(folder / "access.json")
    key = file.add_key("nothing", "--scopes", "admin")
    program, undo = make_program("sqlite", folder)
    yield program.start("--access-file", str(file.path)), key
    program.end()
    undo()


def test_some_operations_are_open_and_most_are_not():
    for service in FILES:
        scopes = [operation["x-scope"] for _, _, _, operation in contract_of(service).operations]
        assert 0 < scopes.count(IS_OPEN) < len(scopes) / 2


@pytest.mark.parametrize("service,operation_id", OPERATIONS, ids=["-".join(row) for row in OPERATIONS])
def test_an_operation_refuses_strangers_as_its_contract_has_it(closed, service, operation_id):
    program, key = closed
    method, path, operation = next((method, path, operation) for method, path, _, operation in contract_of(service).operations
                                   if operation["operationId"] == operation_id)
    client = CheckedClient(service, program.ports[service])
    target = re.sub(r"\{\w+\}", "0190aaaa-0000-7000-8000-000000000000", path)
    stranger, other, unknown = (client.call(method, target, None, headers).status for headers in ({}, bearer(key), bearer(key[:-1])))
    if operation["x-scope"] == IS_OPEN:
        assert operation["security"] == [] and ("401" not in operation["responses"] or operation_id == "logIn")
        assert not {stranger, other, unknown} & {401, 403}
    else:
        assert operation["security"] == [{"ServiceKey": []}, {"Session": []}]
        assert (stranger, unknown) == (401, 401)
        assert (other == 403) == (operation["x-scope"] != "authenticated")


def test_a_caller_beyond_its_rate_is_refused_as_the_contract_has_it(tmp_path):
    file = AccessFile(tmp_path / "access.json")
    key = bearer(file.add_key("busy", "--role", "admin"))
    program, undo = make_program("sqlite", tmp_path)
    try:
        program.start("--access-file", str(file.path), "--rate-limit", "1")
        for service in FILES:
            client = CheckedClient(service, program.ports[service])
            answers = [client.call("GET", "/actuator", None, key) for _ in range(30)]
            assert [answer.status for answer in answers[:10]] == [200] * 10 and answers[-1].status == 429, [answer.status for answer in answers]
            assert answers[-1].headers["retry-after"] == "1" and answers[-1].headers["ratelimit-policy"] == '"principal";q=10;w=10'
            assert client.call("GET", "/actuator/health/readiness", None, key).status == 200, "probes are not refused"
    finally:
        program.end()
        undo()
