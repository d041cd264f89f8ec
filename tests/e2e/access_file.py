"""An access file, changed by `trackops access` as an operator would."""
import os
import re
import subprocess

from harness import PROGRAM


class AccessFile:
    def __init__(self, path):
        self.path = path

    def run(self, command, *arguments, given=""):
        """`given` is the standard input. The environment names the file, and a setting of a service, which the command must not mind."""
        environment = {"PATH": os.environ["PATH"], "TRACKOPS_ACCESS_FILE": str(self.path), "TRACKOPS_DATABASE_URL": "postgres://of.a.service/"}
        return subprocess.run([PROGRAM, "access", command, *arguments], input=given, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def change(self, command, *arguments, given=""):
        done = self.run(command, *arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_key(self, name, *arguments):
        """The text of the new key."""
        key, end = self.change("add-key", "--name", name, *arguments).split("\n")
        assert re.fullmatch(r"trk_[0-9A-Za-z]{8}_[0-9A-Za-z]{49}", key) and end == ""
        return key


    def add_operator(self, name, role, password):
        self.change("add-operator", "--name", name, "--role", role, given=password + "\n")


def bearer(key):
    return {"Authorization": f"Bearer {key}"}
