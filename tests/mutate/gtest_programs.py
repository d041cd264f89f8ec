"""The test programs of a build tree: which of them a file is linked into, their tests, how long each takes on the clean tree."""
import collections
import dataclasses
import json
import pathlib
import re
import shlex
import subprocess

SUITE = re.compile(r"^(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+),", re.MULTILINE)
ADD_TEST = re.compile(r"^add_test\((?:\[=\[)?(\w+)(?:\]=\])? (.*)\)$", re.MULTILINE)
SLOW_S = 2.0  # a test that takes longer runs after all others
SMALL_S = 5.0  # parts of a program that take less run as one
LIMIT_LEAST_S = 30.0
TIMES = 3  # a part may take this multiple of its time on the clean tree


@dataclasses.dataclass
class Part:
    """Tests of a program that run in one process."""
    tests: list  # empty: the program has no gtest cases and runs as it is
    seconds: float

    @property
    def limit(self):
        return max(LIMIT_LEAST_S, TIMES * self.seconds)


@dataclasses.dataclass
class Program:
    name: str
    path: str  # from the build folder
    arguments: list
    folder: str  # the process runs in it
    sources: set  # objects linked into it, from the build folder
    tests: dict = dataclasses.field(default_factory=dict)  # name -> seconds on the clean tree, those that are green there
    seconds: float = 0.0

    @property
    def is_gtest(self):
        return not self.arguments

    def test_folders(self):
        return {match[1] for source in self.sources if (match := re.match(r"src/CMakeFiles/\w+_test\.dir/(.+)/[^/]+_test\.cpp\.o$", source))}


def programs_of(build):
    """All that ctest would run, without building them."""
    programs = []
    for listing in sorted(pathlib.Path(build).glob("*/CTestTestfile.cmake")):
        for name, command in ADD_TEST.findall(listing.read_text()):
            path, *arguments = shlex.split(command)
            path = str(pathlib.Path(path).relative_to(build))
            inputs = subprocess.run(["ninja", "-C", build, "-t", "inputs", path], capture_output=True, text=True, check=True)
            sources = {line for line in inputs.stdout.splitlines() if line.endswith(".o")}
            programs.append(Program(name, path, arguments, str(listing.parent), sources))
    return programs


class Dependencies:
    """Which objects are compiled from a file; known once they were built."""

    def __init__(self, tree, build):
        self.objects = collections.defaultdict(set)
        listed = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True)
        current = ""
        for line in listed.stdout.splitlines():
            if line.startswith("    "):
                path = (pathlib.Path(build) / line.strip()).resolve()
                if path.is_relative_to(tree):
                    self.objects[str(path.relative_to(tree))].add(current)
            elif ":" in line:
                current = line.split(":")[0]

    def of(self, file):
        return self.objects[file]

    def is_product(self, file):
        """Whether a library or program is compiled from it, not tests alone."""
        return any("_test.dir/" not in name and "trackops_testing.dir/" not in name for name in self.objects[file])


def own_programs(file, programs):
    """The programs with tests in the file's folder; order/app has none, so those of its service. Quick ones first."""
    folder = str(pathlib.Path(file).parent).removeprefix("src/")
    service = folder.split("/")[0]
    own = [p for p in programs if folder in p.test_folders()]
    if not own and service != "platform":
        own = [p for p in programs if service in {f.split("/")[0] for f in p.test_folders()}]
    return sorted(own, key=lambda p: p.seconds)


def related_suites(tree, file):
    """The suites in test files beside the file that bear its name, or include its header."""
    path = pathlib.Path(tree) / file
    words = set(path.stem.split("_"))
    suites = set()
    for test in sorted(path.parent.glob("*_test.cpp")):
        text = test.read_text()
        theirs = set(test.stem.removesuffix("_test").split("_"))
        header = str(pathlib.Path(file).with_suffix(".hpp")).removeprefix("src/")
        if f'#include "{header}"' in text or len(words & theirs) >= min(2, len(words)):
            suites |= set(SUITE.findall(text))
    return suites


def parts_of(program, related):
    """The program's tests in the order in which they run: related and quick, other quick ones, slow ones."""
    if not program.is_gtest:
        return [Part([], program.seconds)]
    kinds = [[], [], [], []]
    for name, seconds in program.tests.items():
        is_related = related.intersection(name.split(".")[0].split("/"))  # Databases/SuiteOfParameters.Name/sqlite
        kinds[(0 if is_related else 1) + (2 if seconds > SLOW_S else 0)].append(name)
    parts = [Part(names, sum(program.tests[n] for n in names)) for names in kinds if names]
    merged = []
    for part in parts:
        if merged and merged[-1].seconds + part.seconds < SMALL_S:
            merged[-1] = Part(merged[-1].tests + part.tests, merged[-1].seconds + part.seconds)
        else:
            merged.append(part)
    return merged


def read_report(path):
    """(name -> seconds, names that failed) of gtest's JSON report."""
    times, failed = {}, set()
    for suite in json.loads(pathlib.Path(path).read_text())["testsuites"]:
        for test in suite["testsuite"]:
            if test["status"] != "RUN":
                continue
            name = f"{suite['name']}.{test['name']}"
            times[name] = float(test["time"].removesuffix("s"))
            if test.get("failures"):
                failed.add(name)
    return times, failed
