"""The operations of sessions, on a program with an access file."""
import pytest

from access_file import AccessFile
from conformance import CheckedClient, contract_of
from programs import make_program

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    file = AccessFile(folder / "access.json")
    file.add_operator("ann", "viewer", PASSWORD)
    program, undo = make_program("sqlite", folder)
    program.start("--access-file", str(file.path))
    yield CheckedClient("order", program.ports["order"])
    program.end()
    undo()


def log_in(client, password=PASSWORD):
    return client.post("/api/sessions", {"name": "ann", "password": password})


def test_each_documented_answer_is_given(client, system):
    def call(method, path, headers=None):
        return client.call(method, path, None, headers)
    session = {"Cookie": log_in(client).headers["set-cookie"].split(";")[0]}
    assert log_in(client, "wrong").status == 401
    assert client.call("POST", "/api/sessions", b"ann", {"Content-Type": "text/plain"}).status == 415
    assert client.post("/api/sessions", {"name": "ann"}).status == 422
    assert call("GET", "/api/sessions", session).status == call("GET", "/api/sessions/current", session).status == 200
    assert call("HEAD", "/api/sessions", session).status == 200
    assert call("GET", "/api/sessions?colour=red", session).status == call("DELETE", "/api/sessions", session).status == 422
    unknown = "/api/sessions/" + "0" * 32
    assert call("GET", unknown, session).status == call("DELETE", unknown, session).status == 404
    assert call("DELETE", "/api/sessions?operator=vera", session).status == 403
    assert call("DELETE", "/api/sessions/current", session).status == 204
    session = {"Cookie": log_in(client).headers["set-cookie"].split(";")[0]}
    assert call("DELETE", "/api/sessions?operator=ann", session).status == 200
    assert call("GET", "/api/sessions", session).status == 401
    while (last := log_in(client, "wrong").status) == 401:
        pass
    assert last == 429
    system.client().post("/api/sessions", {"name": "ann", "password": PASSWORD}).problem(409, "conflict")
    rare = {"400", "401", "403", "408", "413", "421", "422", "429", "431", "500", "503"}
    for _, path, _, operation in contract_of("order").operations:
        if path.startswith("/api/sessions"):
            seen = {str(status) for _, name, status in CheckedClient.seen if name == operation["operationId"]}
            assert operation["responses"].keys() - rare <= seen, operation["operationId"]
