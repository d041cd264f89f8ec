"""Programs on empty databases of their own, for fixtures: made, lent, ended and tidied away."""
import pytest

from databases import FreshPostgres
from harness import Program

DATABASES = ["sqlite", "postgres"]


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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """For a conftest: the program's last words stand beside a failure."""
    report = (yield).get_result()
    if report.failed:
        for value in item.funcargs.values():
            program = getattr(value, "program", value)
            if isinstance(program, Program):
                report.sections.append((f"end of {program.folder}/log.{program.starts}", program.log_tail()))
