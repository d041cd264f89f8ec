"""Answers and events as they are today, in golden/NAME.json, and the comparison with an answer or event at hand.

After an intended change, make the files again and read the difference before the commit:

    TRACKOPS_MAKE_GOLDEN=1 /usr/bin/python3 -m pytest -q tests/blackbox && git diff tests/blackbox/golden

The first system that runs a case writes it; the other systems are compared with it.
"""
import json
import os
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "golden"
IS_MAKING = os.environ.get("TRACKOPS_MAKE_GOLDEN") == "1"

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def normalised(value, names=None):
    """Returns the value with ids replaced by their name in `names`, else by <id>, and times by <time>: both differ from run to run."""
    names = names or {}
    if isinstance(value, dict):
        return {name: normalised(member, names) for name, member in value.items()}
    if isinstance(value, list):
        return [normalised(element, names) for element in value]
    if not isinstance(value, str):
        return value
    if TIME.match(value):
        return "<time>"
    return UUID.sub(lambda found: names.get(found[0], "<id>"), value)


def differences(wanted, seen, is_open, where=""):
    """Yields a text for each difference. is_open: an object of `seen` may have further members."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for name in wanted.keys() | seen.keys():
            if name not in seen:
                yield f"{where}/{name} is missing, wanted {wanted[name]!r}"
            elif name in wanted:
                yield from differences(wanted[name], seen[name], is_open, f"{where}/{name}")
            elif not is_open:
                yield f"{where}/{name} was not there before: {seen[name]!r}"
    elif isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        for index, (one, other) in enumerate(zip(wanted, seen)):
            yield from differences(one, other, is_open, f"{where}/{index}")
    elif type(wanted) is not type(seen) or wanted != seen:
        yield f"{where or 'the value'} is {seen!r}, wanted {wanted!r}"


class Golden:
    """The cases of one file."""

    def __init__(self, name):
        self.path = FOLDER / f"{name}.json"
        self.cases = {} if IS_MAKING else json.loads(self.path.read_text(encoding="utf-8"))

    def check(self, case, seen, is_open=False):
        if IS_MAKING and case not in self.cases:
            self.cases[case] = seen
            self.path.write_text(json.dumps(self.cases, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        assert case in self.cases, f"{self.path} has no case {case!r}; the head of golden.py says how to make it"
        found = sorted(differences(self.cases[case], seen, is_open))
        assert not found, "\n".join([f"{case}: not as {self.path.name} has it", *found])
