"""The route rows of the program and the operations of contracts/, both ways, with scope, body limit and Idempotency-Key."""
import json
import re
import subprocess

import pytest

from conformance import FILES, contract_of
from harness import PROGRAM, ROOT

IS_GUIDED = {"none": False, "optional": True, "required": True}


@pytest.fixture(scope="module")
def rows():
    """{service: {(method, pattern): row}}"""
    listed = json.loads(subprocess.run([PROGRAM, "routes", "--json"], capture_output=True, check=True).stdout)
    tables = {service: {} for service in FILES}
    for row in listed:
        tables[row["service"]][row["method"], row["pattern"]] = row
    return tables


@pytest.mark.parametrize("service", FILES)
def test_each_route_is_an_operation_and_each_operation_a_route(rows, service):
    documented = {(method, path) for method, path, _, _ in contract_of(service).operations}
    assert documented == rows[service].keys()


@pytest.mark.parametrize("service", FILES)
def test_an_operation_says_what_its_row_says(rows, service):
    contract = contract_of(service)
    for method, path, item, operation in contract.operations:
        row, where = rows[service][method, path], f"{method} {path}"
        assert operation["x-scope"] == row["scope"], where
        is_stream = row["body"] == "ndjson-stream"
        assert operation.get("x-body-bytes-max") == (None if is_stream else row["bodyBytesMax"]), where
        assert operation["x-idempotency"] == row["idempotencyKey"], where
        keys = [one for one in contract.parameters(item, operation) if one["name"] == "Idempotency-Key"]
        assert bool(keys) == IS_GUIDED[row["idempotencyKey"]], where
        assert [bool(one.get("required")) for one in keys] in ([], [row["idempotencyKey"] == "required"]), where


@pytest.mark.parametrize("service", FILES)
def test_a_body_has_the_type_of_its_row(rows, service):
    types = {"json": "application/json", "ndjson-stream": "application/x-ndjson"}
    for method, path, _, operation in contract_of(service).operations:
        row, body = rows[service][method, path], operation.get("requestBody")
        if body is None:  # a body that is taken and says nothing
            assert row["body"] == "none" or row["bodyOptional"], f"{method} {path}"
            continue
        content = set(body["content"]) - ({"application/merge-patch+json"} if method == "PATCH" else set())
        assert content == {types[row["body"]]}, f"{method} {path}"
        assert body["required"] is not row["bodyOptional"], f"{method} {path}"


@pytest.mark.parametrize("service", FILES)
def test_the_version_is_that_of_the_program(service):
    version = re.search(r'version = "([^"]+)"', (ROOT / "src/base/version.hpp").read_text())[1]
    assert contract_of(service).whole["info"]["version"] == version


@pytest.mark.parametrize("service", FILES)
def test_operations_and_tags_have_what_a_reader_needs(service):
    contract = contract_of(service)
    ids = [operation["operationId"] for _, _, _, operation in contract.operations]
    assert len(set(ids)) == len(ids)
    used = {tag for _, _, _, operation in contract.operations for tag in operation["tags"]}
    assert used == {tag["name"] for tag in contract.whole["tags"]}
    for method, path, item, operation in contract.operations:
        assert operation["summary"] and operation["description"], f"{method} {path}"
        for parameter in contract.parameters(item, operation):
            assert parameter["description"] and "example" in parameter, f"{method} {path} {parameter['name']}"
