"""The command `trackops verify`: its exit codes, and where it takes its databases and their passwords from."""
import contextlib
import os
import sqlite3
import subprocess

import pytest

from databases import psql
from harness import PROGRAM, Shop
from programs import DATABASES, make_program


def verify(*arguments, **environment):
    done = subprocess.run([PROGRAM, "verify", "--second-look=0s", *arguments], capture_output=True, text=True, timeout=120, check=False,
                          env={"PATH": os.environ["PATH"]} | environment)
    return done.returncode, done.stdout + done.stderr


def execute(url, statement):
    if not url.startswith("sqlite:"):
        return psql(url, statement)
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:"), timeout=20)) as connection, connection:
        connection.execute(statement)


@pytest.fixture(params=DATABASES)
def program(request, tmp_path):
    its, undo = make_program(request.param, tmp_path)
    its.start()
    shop = Shop(its)
    shop.place_confirmed((shop.new_sku(5), 2))
    shop.comes_to_rest()
    assert its.stop() == 0
    yield its
    undo()


def test_the_exit_code_tells_the_result(program):
    flags = (f"--order-database={program.order_database}", f"--inventory-database={program.inventory_database}")
    names = {"TRACKOPS_ORDER_DATABASE": program.order_database, "TRACKOPS_INVENTORY_DATABASE": program.inventory_database}
    for arguments, environment in ((flags, {}), ((*flags, "--at-rest"), {}), (("--at-rest",), names), ((), names | {"TRACKOPS_DATABASE_URL": "sqlite:of-a-service"})):
        code, said = verify(*arguments, **environment)
        assert code == 0 and "all of it is true" in said, said
    assert verify(*flags, "--at-peace")[0] == 2
    execute(program.order_database, "UPDATE orders SET total_amount = total_amount + 1")
    assert verify(*flags)[0] == verify(**names)[0] == 3
    execute(program.order_database, "DROP TABLE order_items")
    assert verify(*flags)[0] == 1


def test_it_makes_no_database_where_there_is_none(tmp_path):
    assert verify(f"--data-dir={tmp_path}")[0] == 1
    assert list(tmp_path.iterdir()) == []


def test_a_password_is_no_argument(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("marker\n")
    url = "postgres://me@127.0.0.1:1/x"
    for arguments in (("--order-database=postgres://me:marker@127.0.0.1:1/x",), (f"--order-database={url}", "--order-database-password=marker")):
        code, said = verify(*arguments)
        assert code == 2 and "holds a password" in said and "marker" not in said, said
    for environment in ({"TRACKOPS_ORDER_DATABASE": "postgres://me:marker@127.0.0.1:1/x"}, {"TRACKOPS_ORDER_DATABASE": url, "TRACKOPS_ORDER_DATABASE_PASSWORD_FILE": str(secret)}):
        code, said = verify(**environment)
        assert code == 1 and "marker" not in said, said  # nobody listens there
    code, said = verify(TRACKOPS_ORDER_DATABASE_PASSWORD="marker")
    assert code == 2 and "order-database-password is given without order-database" in said, said


@pytest.mark.parametrize("command, setting", [("verify", "--order-database"), ("migrate", "--order-database-url")])
def test_strict_refuses_a_link_without_tls(command, setting):
    def run(url, *more):
        done = subprocess.run([PROGRAM, command, f"{setting}={url}", *(["--start-patience=0s"] if command == "migrate" else []), *more], capture_output=True, text=True,
                              timeout=120, check=False, env={"PATH": os.environ["PATH"]})
        return done.returncode, done.stdout + done.stderr
    sentence = f"{setting.removeprefix('--')} names a server on another machine"
    code, said = run("postgres://me@no-such-host.invalid/x", "--strict")
    assert code == 2 and sentence in said and "sslmode=verify-full" in said, said
    code, said = run("postgres://me@no-such-host.invalid/x")
    assert code == 1 and sentence in said, said  # a warning
    code, said = run("postgres://me@no-such-host.invalid/x?sslmode=verify-full", "--strict")
    assert code == 1 and sentence not in said, said
    code, said = run("postgres://me@127.0.0.1:1/x", "--strict")
    assert code == 1 and sentence not in said, said
