"""Fixtures: the real program on SQLite and again on PostgreSQL, both with the embedded bus. A missing server is a failure, never a skip."""
import pathlib
import sys
import tempfile

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

from check_stock import check_stock, settled  # noqa: E402
from cluster import Servers  # noqa: E402
from harness import PROGRAM, Shop  # noqa: E402
from programs import DATABASES, lend, pytest_runtest_makereport  # noqa: E402, F401


@pytest.fixture(scope="session", autouse=True)
def the_program_is_built():
    assert pathlib.Path(PROGRAM).exists(), f"{PROGRAM} is not there: build it, or name another with TRACKOPS_TEST_BIN"


@pytest.fixture(params=DATABASES)
def program(request, tmp_path_factory):
    """Not started; a test's own."""
    yield from lend(request.param, tmp_path_factory)


@pytest.fixture(scope="module", params=DATABASES)
def shared_program(request, tmp_path_factory):
    """Started; shared by the tests of a file, which use SKUs of their own."""
    for lent in lend(request.param, tmp_path_factory):
        yield lent.start()


@pytest.fixture
def shop(shared_program):
    return Shop(shared_program)


@pytest.fixture
def stock_adds_up():
    """Asks the databases themselves; for a program at rest, whose last shipments may still be on their way to the stock."""
    def check(checked):
        figures, faults = settled(lambda: check_stock(checked.order_database, checked.inventory_database), 30)
        print("\n".join(figures))
        assert not faults, "\n".join(faults)
    return check


@pytest.fixture(scope="session")
def servers():
    # Not pytest's folder, which only its owner may enter: PostgreSQL runs as another user when we are root.
    its = Servers(pathlib.Path(tempfile.mkdtemp(prefix="trackops-servers-"))).up()
    yield its
    its.run("wipe")
