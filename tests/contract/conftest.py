"""contracts/ against the program: one `trackops dev` on SQLite, shared by all tests of this folder."""
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS), str(TESTS / "contract")]

from calls import World  # noqa: E402
from conformance import FILES, CheckedClient  # noqa: E402
from harness import PROGRAM, Shop  # noqa: E402
from programs import lend, pytest_runtest_makereport  # noqa: E402, F401


@pytest.fixture(scope="session", autouse=True)
def the_program_is_built():
    assert pathlib.Path(PROGRAM).exists(), f"{PROGRAM} is not there: build it, or name another with TRACKOPS_TEST_BIN"


class System:
    """A running program whose answers are all held against the contract."""

    def __init__(self, program):
        self.program, self.ports = program, program.ports
        self.clients = {service: CheckedClient(service, program.ports[service]) for service in FILES}
        self.shop = Shop(self)

    def client(self, service="order"):
        return self.clients[service]


@pytest.fixture(scope="session")
def system(tmp_path_factory):
    for program in lend("sqlite", tmp_path_factory):
        yield System(program.start())


@pytest.fixture(scope="session")
def world(system):
    return World(system)
