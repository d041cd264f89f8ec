"""Chooses mutants, gives them to the jobs, and keeps what came of each."""
import hashlib
import json
import pathlib
import subprocess
import threading
import time
import traceback

import plant
import gtest_programs as known
from jobs import UNDER_WAY, WORLDS, Job, end_all, parts_of_worlds

ROOMS = {  # the first that fits is the room of a file
    "domain": ("src/order/domain", "src/inventory/domain"),
    "batch": ("src/platform/sql/batch.",),
    "cache": ("src/platform/cache", "src/platform/redis", "src/order/adapters/order_cache."),
    "stores": ("src/order/adapters", "src/inventory/adapters"),
    "relay": ("src/platform/relay", "src/platform/outbox/relay", "src/platform/outbox/lease.", "src/platform/outbox/parked.",
              "src/platform/outbox/rate.", "src/relay", "src/event_relay"),
    "outbox": ("src/platform/outbox",),
    "consumer": ("src/platform/bus", "src/platform/kafka", "src/platform/embedded_log"),
    "http": ("src/platform/http",),
}
OF_TESTS = ("_test.cpp", "_test.hpp", "_for_tests.hpp", "_fixture.hpp", "_fixture.cpp", "raw_client.hpp")
SIMULATOR = "bin/trackops-sim"


def room_of(file):
    for room, beginnings in ROOMS.items():
        if any(file.startswith(beginning) for beginning in beginnings):
            return room
    return str(pathlib.Path(file).parent).removeprefix("src/")


def rooms_of(root, paths, seed):
    """room -> its mutants in the order of the seed."""
    asked = [str(pathlib.Path(path).resolve().relative_to(root)) for path in paths]
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *(asked or ["src"])], cwd=root, capture_output=True, text=True, check=True)
    rooms = {}
    for file in sorted(listed.stdout.split()):
        if not file.endswith((".cpp", ".hpp")) or file.endswith(OF_TESTS) or file.startswith(("src/testing", "src/sim", "bench", "fuzz")):
            continue
        room = room_of(file)
        if asked or room in ROOMS:
            rooms.setdefault(room, []).extend(plant.mutants_of(file, (root / file).read_text()))
    return {room: plant.chosen(mutants, seed) for room, mutants in rooms.items()}


class Results:
    """One record a mutant, by its id, which names the file's content as well; the last one counts."""

    def __init__(self, path):
        self.path = path
        self.records = {}
        self._mutex = threading.Lock()
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    record = json.loads(line)
                except ValueError:  # of a run that was killed while it wrote
                    continue
                self.records[record["id"]] = record

    def of(self, mutant):
        return self.records.get(mutant.id)

    def add(self, record):
        with self._mutex:
            self.records[record["id"]] = record
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write("\n" * self._is_torn() + json.dumps(record) + "\n")

    def _is_torn(self):
        """Whether the last line was never ended."""
        content = self.path.read_bytes()
        return bool(content) and not content.endswith(b"\n")


def is_near(arguments):
    """Whether a run leaves out something that may notice a mutant."""
    return arguments.near or arguments.worlds < WORLDS


def is_open(mutant, results, arguments):
    record = results.of(mutant)
    if arguments.again:
        return record is not None and record["outcome"] == "survived"
    return record is None or (record["outcome"] == "survived" and record["near"] and not is_near(arguments))


def planned(rooms, results, arguments):
    """As many of the next ones as the count asks for, from each room in turn."""
    queues = [[m for m in mutants if is_open(m, results, arguments)] for mutants in rooms.values()]
    turns = [queue[i] for i in range(max(map(len, queues), default=0)) for queue in queues if i < len(queue)]
    return turns[:arguments.count]


class Campaign:
    def __init__(self, root, rooms, results, arguments):
        self.root, self.rooms, self.results, self.arguments = root, rooms, results, arguments
        self.end = time.monotonic() + 60 * arguments.minutes
        self.queues = {room: [m for m in mutants if is_open(m, results, arguments)] for room, mutants in rooms.items()}
        self.compiled = {room: sum(self._counts(results.of(m)) for m in mutants) for room, mutants in rooms.items()}
        if arguments.again:
            self.compiled = dict.fromkeys(rooms, 0)
        self.is_near = is_near(arguments)
        self.simulator = [SIMULATOR] if arguments.worlds else []
        self.mutex = threading.Lock()
        self.is_over = False  # what ends now was ended by us, and says nothing of its mutant
        self.programs, self.limits, self.dependencies = [], {}, None

    @staticmethod
    def _counts(record):
        return record is not None and record["outcome"] in ("noticed", "survived")

    def say(self, text):
        print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)

    def run(self):
        jobs = [Job(self.root, number + 1, self.arguments.preset) for number in range(self.arguments.jobs)]
        try:
            self._prepare(jobs)
            workers = [threading.Thread(target=self._work, args=(job,), daemon=True) for job in jobs]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            self.is_over = True
            end_all(*UNDER_WAY)  # none, unless the run was told to stop
            for job in jobs:
                job.servers.wipe()

    # Getting ready.

    def _prepare(self, jobs):
        first = jobs[0]
        self.say(f"building what is clean in {first.tree}")
        first.cores = len(jobs)
        first.copy_sources()
        self.programs = known.programs_of(str(first.build))
        files = sorted({mutant.file for queue in self.queues.values() for mutant in queue})
        needed = self.programs if not self.arguments.near else [p for p in self.programs if any(p in known.own_programs(f, self.programs) for f in files)]
        targets = [*self.simulator, *(p.path for p in needed)]
        self._build(first, targets)
        first.cores = 1
        self.dependencies = known.Dependencies(first.tree, str(first.build))
        # The others find nearly all of it in ccache.
        helpers = [threading.Thread(target=self._follow, args=(job, targets), daemon=True) for job in jobs[1:]]
        for helper in helpers:
            helper.start()
        self.say("timing the tests of the clean tree")
        self._measure(first, needed)
        for helper in helpers:
            helper.join()

    def _follow(self, job, targets):
        job.copy_sources()
        self._build(job, targets)
        job.servers.up()

    def _build(self, job, targets):
        built = job.make(targets)
        if built.code != 0:
            raise RuntimeError(f"the clean tree does not build:\n{built.words[-3000:]}")
        job.remember_objects()

    def _measure(self, job, needed):
        """Once for each build of a program: its tests, and how long they take."""
        path = self.root / "build" / "mutate" / "times.json"
        times = json.loads(path.read_text()) if path.exists() else {}
        job.servers.up()
        for program in needed:
            digest = hashlib.sha256((job.build / program.path).read_bytes()).hexdigest()
            if times.get(program.name, {}).get("digest") != digest:
                failed = job.measure(program)
                self.say(f"{program.name}: {program.seconds:.0f} s{', left out because they fail: ' + ', '.join(sorted(failed)) if failed else ''}")
                times[program.name] = {"digest": digest, "tests": program.tests, "seconds": program.seconds}
                path.write_text(json.dumps(times))
            program.tests, program.seconds = times[program.name]["tests"], times[program.name]["seconds"]
        if self.simulator:
            self._measure_worlds(job, times, path)

    def _measure_worlds(self, job, times, path):
        digest = hashlib.sha256((job.build / SIMULATOR).read_bytes()).hexdigest()
        if times.get("worlds", {}).get("digest") != digest:
            times["worlds"] = {"digest": digest, "limits": {}}
        limits = times["worlds"]["limits"]
        for first, last in parts_of_worlds(self.arguments.worlds):
            if f"{first}..{last}" in limits:
                continue
            ended = job.run_worlds(first, last, 900)
            if ended.code != 0:
                raise RuntimeError(f"worlds {first}..{last} fail on the clean tree:\n{ended.words[-2000:]}")
            limits[f"{first}..{last}"] = max(known.LIMIT_LEAST_S, known.TIMES * ended.seconds)
            path.write_text(json.dumps(times))
        self.limits = limits

    # One after the other.

    def _take(self):
        with self.mutex:
            if time.monotonic() > self.end or sum(self.compiled.values()) >= self.arguments.count:
                return None, None
            rooms = [room for room, queue in self.queues.items() if queue]
            if not rooms:
                return None, None
            room = min(rooms, key=self.compiled.get)
            self.compiled[room] += 1  # taken back when it does not compile
            return room, self.queues[room].pop(0)

    def _work(self, job):
        while True:
            room, mutant = self._take()
            if mutant is None:
                return
            if self.dependencies.of(mutant.file) and not self.dependencies.is_product(mutant.file):
                record = {"outcome": "uncompiled"}  # a header of tests alone
            else:
                try:
                    record = self._try(job, mutant)
                except Exception:
                    traceback.print_exc()
                    return
            if self.is_over:
                return
            if not self._counts(record):
                with self.mutex:
                    self.compiled[room] -= 1
            self._keep(room, mutant, record)

    def _keep(self, room, mutant, record):
        text = (self.root / mutant.file).read_text()
        self.results.add({"id": mutant.id, "file": mutant.file, "line": mutant.line, "operator": mutant.operator, "room": room,
                          "before": mutant.before, "after": mutant.after, "near": self.is_near, "stage": "", "by": "",
                          "seconds": 0, "diff": mutant.diff(text), **record})
        self.say(f"{room:9} {record['outcome']:10} {record.get('seconds', 0):5.0f} s  {mutant.file}:{mutant.line} "
                 f"{mutant.operator}: {' '.join(mutant.before.split())[:50]} -> {' '.join(mutant.after.split())[:50]}  {record.get('by', '')}")

    def _try(self, job, mutant):
        start = time.monotonic()
        path = job.tree / mutant.file
        clean = path.read_text()
        try:
            path.write_text(mutant.applied_to(clean))
            record = self._ask(job, mutant)
        finally:
            path.write_text(clean)
        return record | {"seconds": round(time.monotonic() - start, 1)}

    def _ask(self, job, mutant):
        objects = self.dependencies.of(mutant.file)
        own = known.own_programs(mutant.file, self.programs)
        alone = [name for name in objects if name.endswith(f"{mutant.file.removeprefix('src/')}.o")]
        if job.make(alone or [p.path for p in own] or self.simulator).code != 0:
            return {"outcome": "uncompiled"}
        if not job.is_changed(objects) and (alone or job.make(self.simulator).code == 0 and not job.is_changed(objects)):
            return {"outcome": "equivalent"}
        related = known.related_suites(job.tree, mutant.file)
        if by := self._noticed(job, [p for p in own if p.sources & objects], related):
            return {"outcome": "noticed", "stage": "own", "by": by}
        if job.make(self.simulator).code != 0:
            return {"outcome": "uncompiled"}
        if by := job.broken_world(self.arguments.worlds, self.limits):
            return {"outcome": "noticed", "stage": "worlds", "by": by}
        if not self.arguments.near:
            others = sorted((p for p in self.programs if p not in own and p.sources & objects), key=lambda p: p.seconds)
            if by := self._noticed(job, others, related):
                return {"outcome": "noticed", "stage": "others", "by": by}
        return {"outcome": "survived"}

    @staticmethod
    def _noticed(job, programs, related):
        for program in programs:
            if job.make([program.path]).code != 0:
                return f"{program.name}: does not build"
            if by := job.noticed_by(program, related):
                return by
        return ""
