"""`trackops login`, `logout` and `whoami`, and a command that uses the session."""
import json
import os
import pty
import re
import select
import stat
import subprocess
import time

import pytest

from access_file import AccessFile, bearer
from certificates import Authority
from harness import PROGRAM, wait_until
from programs import make_program

PASSWORD = "marker horse battery staple"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = AccessFile(tmp_path_factory.mktemp("access") / "access.json")
    file.add_operator("olga", "operator", PASSWORD)
    return file


@pytest.fixture(scope="module")
def program(file, tmp_path_factory):
    its, undo = make_program("sqlite", tmp_path_factory.mktemp("login"))
    yield its.start("--access-file", str(file.path))
    its.end()
    undo()


class Terminal:
    """The commands with a folder of their own, and every byte that they have shown."""

    def __init__(self, folder):
        self.folder = folder
        self.shown = ""

    def environment(self, **more):
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_CONFIG_HOME": str(self.folder), "USER": "olga"} | more

    def run(self, *arguments, given="", **more):
        done = subprocess.run([PROGRAM, *map(str, arguments)], input=given, env=self.environment(**more), capture_output=True, text=True, timeout=60, check=False)
        self.shown += done.stdout + done.stderr
        return done

    def log_in(self, server, *more):
        done = self.run("login", "--server", server, *more, given=PASSWORD + "\n")
        assert done.returncode == 0, done.stderr
        return done

    def files(self):
        folder = self.folder / "trackops/sessions"
        return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def terminal(tmp_path):
    terminal = Terminal(tmp_path)
    yield terminal
    ids = [json.loads(path.read_text())["id"] for path in terminal.files()]
    assert PASSWORD not in terminal.shown and not any(one in terminal.shown for one in ids)


def server(program, service="order"):
    return f"http://127.0.0.1:{program.ports[service]}"


def cookie_in(path):
    kept = json.loads(path.read_text())
    return {"Cookie": f"{kept['cookieName']}={kept['id']}"}


def test_a_session_is_kept_used_and_ended(program, terminal, tmp_path):
    assert "as olga (operator) until 20" in terminal.log_in(server(program)).stdout
    path, = terminal.files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert PASSWORD not in path.read_text()
    who = terminal.run("whoami", "--server", server(program))
    assert who.returncode == 0 and who.stdout.startswith(f"olga at {server(program)} until 20"), who
    items = tmp_path / "items.ndjson"
    items.write_text(json.dumps({"sku": "L-1", "name": "A thing", "onHand": 5}) + "\n")
    loaded = terminal.run("load", items, "--items", "--order-url", server(program), "--inventory-url", server(program, "inventory"))
    assert "1 items loaded" in loaded.stderr, loaded.stdout + loaded.stderr
    cookie = cookie_in(path)
    assert program.client("inventory").get("/api/inventory/items/L-1", cookie).status == 200
    out = terminal.run("logout", "--server", server(program))
    assert out.returncode == 0 and terminal.files() == [], out
    assert program.client().get("/api/orders", cookie).status == 401, "the server has ended it, too"
    assert terminal.run("whoami", "--server", server(program)).returncode == 1
    assert terminal.run("logout", "--server", server(program)).returncode == 0
    nobody = terminal.run("load", items, "--items", "--order-url", server(program), "--inventory-url", server(program, "inventory"))
    assert "0 items loaded" in nobody.stderr and "unauthorized" in nobody.stdout, nobody


def test_a_second_login_ends_the_first_session(program, terminal):
    terminal.log_in(server(program))
    first = cookie_in(terminal.files()[0])
    terminal.log_in(server(program))
    second = cookie_in(terminal.files()[0])
    assert first != second and len(terminal.files()) == 1
    assert program.client().get("/api/orders", first).status == 401
    assert program.client().get("/api/orders", second).status == 200


def test_a_wrong_password_leaves_nothing(program, terminal):
    done = terminal.run("login", "--server", server(program), "--user", "olga", given="wrong password\n")
    assert done.returncode == 1 and "the name or the password is not right" in done.stderr
    assert terminal.files() == []
    nothing = terminal.run("login", "--server", server(program), given="")
    assert nothing.returncode == 2 and "no password" in nothing.stderr
    assert terminal.run("login", "--server", server(program), USER="", given=PASSWORD + "\n").returncode == 2


def test_a_password_file(program, terminal, tmp_path):
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    done = terminal.run("login", "--server", server(program), "--password-file", secret)
    assert done.returncode == 0, done.stderr
    assert terminal.run("login", "--server", server(program), "--password-file", tmp_path / "missing").returncode == 2
    assert terminal.run("login", "--password", PASSWORD).returncode == 2, "there is no argument for it"
    terminal.shown = terminal.shown.replace(PASSWORD, "")  # the refusal of an unknown argument


def test_a_terminal_shows_no_password(program, terminal):
    pid, master = pty.fork()
    if pid == 0:
        os.execve(PROGRAM, [PROGRAM, "login", "--server", server(program)], terminal.environment())
    shown, typed, until = "", False, time.monotonic() + 30
    while time.monotonic() < until:
        if select.select([master], [], [], 1)[0]:
            try:
                shown += os.read(master, 4096).decode()
            except OSError:  # the program has ended
                break
        if "Password of olga: " in shown and not typed:
            typed = bool(os.write(master, PASSWORD.encode() + b"\n"))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    assert "logged in" in shown and "marker" not in shown


def test_a_password_does_not_go_to_another_machine_in_the_open(terminal):
    for url in ("http://192.0.2.1", "http://localhost.example.org:1"):
        done = terminal.run("login", "--server", url, given=PASSWORD + "\n")
        assert done.returncode == 2 and "https alone" in done.stderr
    for url in ("ftp://127.0.0.1", "http://127.0.0.1/path", "http://u:marker@127.0.0.1"):
        assert terminal.run("login", "--server", url, given=PASSWORD + "\n").returncode == 2
    assert "marker" not in terminal.shown


def test_a_session_file_is_for_its_owner_and_its_time(program, terminal, tmp_path):
    terminal.log_in(server(program))
    path, = terminal.files()
    path.chmod(0o644)
    refused = terminal.run("whoami", "--server", server(program))
    assert refused.returncode == 1 and "may be read by others" in refused.stderr
    path.chmod(0o600)
    items = tmp_path / "items.ndjson"
    items.write_text(json.dumps({"sku": "L-2", "name": "A thing", "onHand": 5}) + "\n")
    load = ("load", items, "--items", "--order-url", server(program), "--inventory-url", server(program, "inventory"))
    kept = path.read_text()
    path.write_text(re.sub(r'"endsAt":"[^"]*"', '"endsAt":"2020-01-01T00:00:00Z"', kept))
    assert "0 items loaded" in terminal.run(*load).stderr, "it is over"
    path.write_text(kept)
    assert "1 items loaded" in terminal.run(*load).stderr
    path.write_text("{}")
    broken = terminal.run("whoami", "--server", server(program))
    assert broken.returncode == 1 and "log in anew" in broken.stderr
    path.unlink()


def test_a_key_counts_before_the_session(program, file, terminal, tmp_path):
    terminal.log_in(server(program))
    items = tmp_path / "items.ndjson"
    items.write_text(json.dumps({"sku": "L-3", "name": "A thing", "onHand": 5}) + "\n")
    viewer = file.add_key("viewer", "--role", "viewer")
    wait_until(lambda: program.client().get("/api/orders", bearer(viewer)).status == 200, 20, "the key")
    done = terminal.run("load", items, "--items", "--order-url", server(program), "--inventory-url", server(program, "inventory"), TRACKOPS_KEY=viewer)
    assert "0 items loaded" in done.stderr and "forbidden" in done.stdout, done
    assert program.client("inventory").get("/api/inventory/items/L-3", bearer(viewer)).status == 404


def test_over_tls(file, terminal, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder), Authority(folder, "other")
    certificate, key = authority.issue("server", "localhost")
    program, undo = make_program("sqlite", folder)
    try:
        program.start("--access-file", str(file.path), "--tls-cert-file", str(certificate), "--tls-key-file", str(key))
        url = f"https://localhost:{program.ports['order']}"
        unproved = terminal.run("login", "--server", url, "--ca-file", other.certificate, given=PASSWORD + "\n")
        assert unproved.returncode == 1 and "TLS" in unproved.stderr and terminal.files() == []
        terminal.log_in(url, "--ca-file", authority.certificate)
        assert json.loads(terminal.files()[0].read_text())["cookieName"] == "__Host-trackops"
        assert terminal.run("whoami", "--server", url, "--ca-file", authority.certificate).returncode == 0
        assert terminal.run("logout", "--server", url, "--ca-file", authority.certificate).returncode == 0
    finally:
        program.end()
        undo()
