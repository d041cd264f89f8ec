"""A job: a copy of the sources, a build of it, servers of its own; compiles one mutant at a time and runs what may notice it."""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

import gtest_programs as known

WORLDS = 60
SERVER_VARIABLES = ("TRACKOPS_TEST_POSTGRES", "TRACKOPS_TEST_REDIS", "TRACKOPS_TEST_KAFKA")
MARK = "TRACKOPS_MUTATE_RUN"  # in the environment of all that a run starts
UNDER_WAY = set()  # marks of runs that have not ended
RAN_LAST = re.compile(r"^\[ RUN      \] (\S+)", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] ([^\s,]+\.[^\s,]+)", re.MULTILINE)
PASSED = re.compile(r"^\[       OK \] (\S+)", re.MULTILINE)
CHANCES = 3
BROKEN_SEED = re.compile(r"^seed \d+: .*", re.MULTILINE)


def parts_of_worlds(count):
    """[(1, 5), (6, 20), (21, count)]: most mutants that a world notices are noticed by an early one."""
    bounds = [0, *(bound for bound in (5, 20) if bound < count), count] if count else [0]
    return [(before + 1, last) for before, last in zip(bounds, bounds[1:])]


class Ended:
    """How a process ended: its code (None: it took too long), its words, its seconds."""

    def __init__(self, code, words, seconds):
        self.code, self.words, self.seconds = code, words, seconds


def end_all(*marks):
    """Kills what these runs started, also what went into a session of its own."""
    wanted = [f"{MARK}={mark}".encode() for mark in marks]
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
            if any(mark in environment for mark in wanted):
                os.kill(int(entry.name), signal.SIGKILL)
        except OSError:
            continue


def run(command, folder, environment, limit):
    mark = uuid.uuid4().hex
    UNDER_WAY.add(mark)
    start = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as words:
        process = subprocess.Popen(command, cwd=folder, env={**environment, MARK: mark}, stdin=subprocess.DEVNULL, stdout=words,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            code = None
        if code != 0:
            end_all(mark)
            process.wait()
        UNDER_WAY.discard(mark)
        words.seek(0)
        return Ended(code, words.read(), time.monotonic() - start)


class Servers:
    """PostgreSQL, Redis and Kafka of a job's own, unless the environment names some."""

    def __init__(self, root):
        self.root, self.folder = root, None
        self.environment = dict(os.environ)

    def up(self):
        if all(self.environment.get(name) for name in SERVER_VARIABLES):
            return self
        self.folder = tempfile.mkdtemp(prefix="trackops-mutate-")
        self.environment |= {"TRACKOPS_TEST_SERVERS": self.folder, "TRACKOPS_TEST_POSTGRES_SETTINGS": "fsync=off"}
        self._servers("up")
        for name, value in re.findall(r"export (\w+)=(\S+)", self._servers("env").stdout):
            self.environment[name] = value
        return self

    def _servers(self, verb):
        # Into files: what stays running would keep a pipe open.
        with tempfile.TemporaryFile("w+") as words:
            subprocess.run([f"{self.root}/servers/run", verb], env=self.environment, stdout=words, check=True)
            words.seek(0)
            return subprocess.CompletedProcess(verb, 0, words.read())

    def tidy(self):
        """Databases and slots that a killed test left behind; other people's servers are left alone."""
        if self.folder is None:
            return
        url = self.environment["TRACKOPS_TEST_POSTGRES"]
        look = ("SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots WHERE NOT active UNION ALL "
                "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname) FROM pg_database WHERE datname LIKE 'trackops_test_%'")
        listed = subprocess.run(["psql", "-qAt", url, "-c", look], capture_output=True, text=True)
        for statement in listed.stdout.splitlines():
            subprocess.run(["psql", "-q", url, "-c", statement], capture_output=True)

    def wipe(self):
        if self.folder is not None:
            self._servers("wipe")
            shutil.rmtree(self.folder, ignore_errors=True)


class Job:
    def __init__(self, root, number, preset):
        self.root = pathlib.Path(root)
        self.preset = preset
        self.folder = self.root / "build" / "mutate" / f"job{number}"
        self.tree = self.folder / "tree"
        self.build = self.tree / "build" / preset
        self.cores = 1
        self.servers = Servers(self.root)
        self.hashes = {}

    def copy_sources(self):
        """The work tree as it is; files that are the same keep their times, so that little is built anew."""
        listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=self.root, capture_output=True, check=True)
        wanted = {name for name in listed.stdout.decode().split("\0") if name and (self.root / name).is_file()}
        for name in wanted:
            source, target = self.root / name, self.tree / name
            if target.is_file() and target.read_bytes() == source.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        for path in [p for top in ("src", "apps", "fuzz", "bench") for p in (self.tree / top).rglob("*") if p.is_file()]:
            if str(path.relative_to(self.tree)) not in wanted:
                path.unlink()
        subprocess.run(["cmake", "--preset", self.preset], cwd=self.tree, check=True, stdout=subprocess.DEVNULL)

    def make(self, targets):
        """Nothing, when there are no targets: ninja would make everything."""
        if not targets:
            return Ended(0, "", 0.0)
        return run(["ninja", "-C", str(self.build), f"-j{self.cores}", *targets], self.tree, os.environ, 3600)

    def remember_objects(self):
        self.hashes = {str(path.relative_to(self.build)): self._hash(path) for path in self.build.rglob("*.o")}

    @staticmethod
    def _hash(path):
        return hashlib.sha256(path.read_bytes()).digest()

    def is_changed(self, objects):
        return any(self._hash(self.build / name) != self.hashes.get(name) for name in objects if (self.build / name).exists())

    # Running.

    def run_part(self, program, part, extra=()):
        """None while all is well, or what failed."""
        with tempfile.TemporaryDirectory(prefix="trackops-mutate-") as folder:
            os.chmod(folder, 0o755)  # PostgreSQL runs as another user
            command = [str(self.build / program.path), *program.arguments]
            if part.tests:
                flags = pathlib.Path(folder) / "flags"
                flags.write_text(f"--gtest_filter={':'.join(part.tests)}\n--gtest_fail_fast\n")
                command.append(f"--gtest_flagfile={flags}")
            return run([*command, *extra], program.folder, {**self.servers.environment, "TMPDIR": folder}, part.limit)

    def measure(self, program):
        """The program's green tests and their seconds, on the clean tree; returns the names that are not green."""
        with tempfile.TemporaryDirectory(prefix="trackops-mutate-") as folder:
            os.chmod(folder, 0o755)
            report = pathlib.Path(folder) / "report.json"
            command = [str(self.build / program.path), *program.arguments]
            environment = {**self.servers.environment, "TMPDIR": folder}
            if not program.is_gtest:
                ended = run(command, program.folder, environment, 900)
                program.seconds = ended.seconds
                return set() if ended.code == 0 else {program.name}
            ended = run([*command, f"--gtest_output=json:{report}"], program.folder, environment, 900)
            if not report.exists():
                raise RuntimeError(f"{program.name} ends with {ended.code} on the clean tree:\n{ended.words[-2000:]}")
            times, failed = known.read_report(report)
        program.tests = {name: seconds for name, seconds in times.items() if name not in failed}
        program.seconds = ended.seconds
        return failed

    def noticed_by(self, program, related):
        """What of the program notices the mutant: a test's name, or nothing."""
        for part in known.parts_of(program, related):
            if by := self._noticed_in(program, part):
                return f"{program.name}: {by}"
        return ""

    def _noticed_in(self, program, part):
        """A failure must come twice, the second time alone: a busy machine ends a test, or makes it late, now and then."""
        for _ in range(CHANCES):
            ended = self.run_part(program, part)
            if ended.code == 0:
                return ""
            self.servers.tidy()
            name = self._failed_test(ended.words)
            if not name or not part.tests:
                return f"ends with {ended.code}"
            alone = self.run_part(program, known.Part([name], program.tests.get(name, part.seconds)))
            if alone.code != 0:
                self.servers.tidy()
                return f"{name}{' (takes too long)' if alone.code is None else ''}"
            passed = {name, *PASSED.findall(ended.words)}
            part = known.Part([test for test in part.tests if test not in passed], part.seconds)
            if not part.tests:
                return ""
        return f"fails {CHANCES} times, never alone"

    @staticmethod
    def _last_test(words):
        ran = RAN_LAST.findall(words)
        return ran[-1] if ran else "no test"

    def _failed_test(self, words):
        failed = FAILED.findall(words)
        return failed[0] if failed else self._last_test(words) if RAN_LAST.search(words) else ""

    def broken_world(self, count, limits):
        """The first of the simulated worlds that notices the mutant, or nothing."""
        for first, last in parts_of_worlds(count):
            ended = self.run_worlds(first, last, limits[f"{first}..{last}"])
            if ended.code is None:
                return f"sim: seeds {first}..{last} take too long"
            if ended.code != 0:
                found = BROKEN_SEED.search(ended.words)
                return f"sim: {found[0][:120] if found else f'ends with {ended.code}'}"
        return ""

    def run_worlds(self, first, last, limit):
        command = [str(self.build / "bin" / "trackops-sim"), "--seeds", f"{first}..{last}", "--jobs", "1", "--no-shrink"]
        return run(command, self.tree, self.servers.environment, limit)
