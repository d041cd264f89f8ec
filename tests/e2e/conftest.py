"""Fixtures: the real program on SQLite and again on PostgreSQL, both with the embedded bus. A missing server is a failure, never a skip."""
import pathlib
import sys
import tempfile

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

from check_stock import check_stock, settled  # noqa: E402
from cluster import Servers  # noqa: E402
from databases import FreshPostgres  # noqa: E402
from harness import PROGRAM, Program, Shop  # noqa: E402

DATABASES = ["sqlite", "postgres"]


@pytest.fixture(scope="session", autouse=True)
def the_program_is_built():
    assert pathlib.Path(PROGRAM).exists(), f"{PROGRAM} is not there: build it, or name another with TRACKOPS_TEST_BIN"


def make_program(kind, folder):
    """A program that was not started, on empty databases, and what undoes it."""
    if kind == "sqlite":
        (folder / "data").mkdir()
        return Program(folder, f"sqlite:{folder}/data/orders.db", f"sqlite:{folder}/data/inventory.db"), lambda: None
    server = FreshPostgres()
    return Program(folder, server.make("orders"), server.make("inventory")), server.drop


def lend(kind, factory):
    program, undo = make_program(kind, factory.mktemp(kind))
    try:
        yield program
    finally:
        program.end()
        undo()


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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """The program's last words stand beside a failure."""
    report = (yield).get_result()
    if report.failed:
        for value in item.funcargs.values():
            if isinstance(value, Program):
                report.sections.append((f"end of {value.folder}/log.{value.starts}", value.log_tail()))
