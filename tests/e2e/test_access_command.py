"""`trackops access`: what it writes, what it prints, and what it keeps to itself."""
import concurrent.futures
import hashlib
import json
import os
import pty
import re
import subprocess
import time

import pytest

from access_file import AccessFile
from harness import PROGRAM

PASSWORD = "correct horse battery"


@pytest.fixture
def file(tmp_path):
    return AccessFile(tmp_path / "access.json")


def listed(file):
    return json.loads(file.change("list", "--json"))


def test_a_key_is_printed_once_and_kept_as_its_digest(file):
    done = file.run("add-key", "--name", "shop", "--scopes", "orders:read,orders:write", "--valid-for", "30d")
    key = done.stdout.strip()
    assert done.returncode == 0 and key.count("\n") == 0 and key not in done.stderr
    assert file.path.stat().st_mode & 0o7777 == 0o600
    content = json.loads(file.path.read_text())
    kept = content["keys"][0]
    assert (kept["name"], kept["scopes"], kept["id"]) == ("shop", ["orders:read", "orders:write"], key.split("_")[1])
    assert kept["sha256"] == hashlib.sha256(key.split("_")[2][:43].encode()).hexdigest()
    assert key.split("_")[2][:43] not in file.path.read_text()
    texts = [file.change("list"), file.change("list", "--json"), file.run("revoke", "--id", kept["id"]).stderr]
    assert not any(key.split("_")[2][:8] in text or kept["sha256"] in text for text in texts), texts
    assert "a mounted secret, is as old as its last update" in texts[-1]
    assert listed(file) == {"keys": [], "operators": []}


def test_a_key_may_have_the_scopes_of_a_role(file):
    file.add_key("eva", "--role", "viewer")
    key = listed(file)["keys"][0]
    assert (key["scopes"], key["state"]) == (["orders:read", "inventory:read", "relay:read"], "valid")


def test_rotation_leaves_two_keys_of_one_name_for_a_while(file):
    file.add_key("shop", "--scopes", "orders:read")
    file.add_key("stock", "--scopes", "inventory:read")
    fresh = file.change("rotate", "--name", "shop", "--overlap", "1h").strip()
    shop = [key for key in listed(file)["keys"] if key["name"] == "shop"]
    assert [key["state"] for key in shop] == ["valid", "valid"] and shop[1]["id"] == fresh.split("_")[1]
    assert shop[0]["notAfter"] < shop[1]["notAfter"] and shop[0]["scopes"] == shop[1]["scopes"] == ["orders:read"]
    assert shop[0]["notAfter"] < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3700))
    file.change("rotate", "--name", "shop", "--overlap", "0s")
    assert [key["state"] for key in listed(file)["keys"] if key["name"] == "shop"] == ["ended", "ended", "valid"]
    assert file.run("rotate", "--name", "nobody").returncode == 1


def test_a_password_comes_from_a_pipe_and_is_kept_as_argon2id(file):
    file.change("add-operator", "--name", "eva", "--role", "clerk", given=PASSWORD + "\n")
    kept = json.loads(file.path.read_text())["operators"][0]
    assert kept["password"].startswith("$argon2id$v=19$m=19456,t=2,p=1$") and PASSWORD not in file.path.read_text()
    again = file.run("add-operator", "--name", "eva", "--role", "admin", given=PASSWORD + "\n")
    assert again.returncode == 1 and "--replace" in again.stderr
    file.change("add-operator", "--name", "eva", "--role", "admin", "--replace", given="another long password")
    assert listed(file)["operators"] == [{"name": "eva", "role": "admin"}]
    file.change("revoke", "--operator", "eva")
    assert listed(file)["operators"] == []


@pytest.mark.parametrize("given", ["", "short\n", "x" * 1025, "a tab\tis no letter\n"], ids=["none", "short", "long", "tab"])
def test_a_bad_password_changes_nothing(file, given):
    done = file.run("add-operator", "--name", "eva", "--role", "clerk", given=given)
    assert done.returncode == 2 and "a password has" in done.stderr
    assert not file.path.exists()


def test_a_terminal_does_not_show_the_password(file):
    def type_in(*lines):
        """The exit code, and all that the terminal shows."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(PROGRAM, [PROGRAM, "access", "add-operator", "--access-file", str(file.path), "--name", "eva", "--role", "clerk"], {})
        shown, waiting = b"", list(lines)
        while True:
            try:
                piece = os.read(terminal, 1024)
            except OSError:  # the end of a terminal
                piece = b""
            if not piece:
                break
            shown += piece
            if waiting and shown.endswith(b": "):
                os.write(terminal, waiting.pop(0).encode() + b"\n")
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()
    code, shown = type_in(PASSWORD, PASSWORD + "?")
    assert code == 2 and "not the same" in shown and not file.path.exists()
    code, shown = type_in(PASSWORD, PASSWORD)
    assert code == 0 and PASSWORD not in shown, shown
    assert listed(file)["operators"] == [{"name": "eva", "role": "clerk"}]


def test_no_secret_is_taken_from_the_command_line_or_shown_in_an_error(file):
    done = file.run("add-operator", "--name", "eva", "--role", "clerk", "--password", PASSWORD)
    assert done.returncode == 2 and "--password" in done.stderr and PASSWORD not in done.stderr
    file.path.write_text(json.dumps({"keys": [{"name": "shop", "secret": PASSWORD}]}))
    done = file.run("list")
    assert done.returncode == 1 and "/keys/0/secret" in done.stderr and PASSWORD not in done.stderr


def test_many_who_change_the_file_at_once_lose_nothing(file):
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda number: file.add_key(f"n{number}", "--role", "viewer"), range(24)))
    assert {key["id"] for key in listed(file)["keys"]} == {key.split("_")[1] for key in keys}
    assert [entry.name for entry in file.path.parent.iterdir()] == ["access.json"]


def test_bad_arguments_are_told_and_change_nothing(file):
    for command, told in (("add-key --name shop", "either --scopes or --role"), ("add-key --name shop --role admin --scopes admin", "either"),
                          ("add-key --role admin", "--name is missing"), ("add-key --name shop --role king", "viewer, clerk, operator, admin"),
                          ("add-key --name shop --scopes orders", "orders:read, orders:write"), ("add-key --name a/b --role admin", "a name is of"),
                          ("add-key --name shop --role admin --valid-for 0s", "valid-for"), ("revoke", "give --key, --id or --operator"),
                          ("revoke --key a --id b", "give one of"), ("rename", "trackops access COMMAND"), ("", "trackops access COMMAND")):
        done = file.run(*(command.split() or [""]))
        assert done.returncode == 2 and told in done.stderr and not done.stdout, (command, done)
    assert not file.path.exists()
    for command in ("list", "revoke --key shop", "rotate --name shop"):
        done = file.run(*command.split())
        assert done.returncode == 1 and "No such file" in done.stderr, done
    file.add_key("shop", "--role", "viewer")
    done = file.run("revoke", "--key", "stock")
    assert done.returncode == 1 and "stock" in done.stderr and len(listed(file)["keys"]) == 1


def test_each_command_explains_itself(file):
    whole = subprocess.run([PROGRAM, "access", "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"trackops access (\S+)", whole)
    assert commands == ["COMMAND", "add-key", "add-operator", "rotate", "revoke", "list"]
    for command in commands[1:]:
        assert "--access-file" in file.change(command, "--help")
