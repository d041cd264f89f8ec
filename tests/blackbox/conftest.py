"""Black-box suites: from HTTP to tables and topics, on the public contracts alone.

The tests know routes, answers, headers, topics with their messages, and the names of tables. They know no internal name and no log line,
so they survive a rebuild of the services. Each test runs on `trackops dev` with SQLite and with PostgreSQL. Tests of events run on the
three programs with Kafka as well. golden.py says how to make the golden files.
"""
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS), str(TESTS / "contract")]

from harness import PROGRAM  # noqa: E402
from programs import lend, pytest_runtest_makereport  # noqa: E402, F401
from systems import DevSystem, ServicesSystem  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def the_program_is_built():
    assert pathlib.Path(PROGRAM).exists(), f"{PROGRAM} is not there: build it, or name another with TRACKOPS_TEST_BIN"


def lend_system(kind, factory):
    if kind == "kafka":
        system = ServicesSystem(factory.mktemp(kind))
        yield system
        system.end()
    else:
        for program in lend(kind, factory):
            yield DevSystem(program)


@pytest.fixture(scope="session")
def system(request, tmp_path_factory):
    """One of systems.SYSTEMS, which a file names with runs_on(). Shared by all tests, which use SKUs, keys and customers of their own."""
    yield from lend_system(request.param, tmp_path_factory)


@pytest.fixture
def own_program(request, tmp_path_factory):
    """Not started; a test's own, on the database that the test names."""
    yield from lend(request.param, tmp_path_factory)
