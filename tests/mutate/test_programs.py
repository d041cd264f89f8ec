"""Which tests ./dev mutate asks about a file, and in what order; and how a run goes on from the last."""
import argparse
import json
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import campaign  # noqa: E402
import gtest_programs as programs  # noqa: E402
import jobs  # noqa: E402
import plant  # noqa: E402
import report  # noqa: E402


def program(name, folder, tests=None, seconds=1.0):
    sources = {f"src/CMakeFiles/{name}_test.dir/{folder}/a_test.cpp.o"}
    return programs.Program(name, f"bin/{name}_test", [], ".", sources, tests or {}, seconds)


def test_a_file_is_asked_about_at_the_tests_beside_it():
    every = [program("sql", "platform/sql"), program("order_domain", "order/domain"), program("order_adapters", "order/adapters", seconds=9)]
    assert [p.name for p in programs.own_programs("src/order/domain/saga.cpp", every)] == ["order_domain"]
    assert [p.name for p in programs.own_programs("src/order/app/ports.hpp", every)] == ["order_domain", "order_adapters"]
    assert programs.own_programs("src/platform/bus/lanes.cpp", every) == []


def test_related_and_quick_tests_come_first():
    asked = program("a", "a", {"Other.Quick": 1.0, "Other.Quicker": 1.5, "Mine.Slow": 6.0, "Databases/Mine.Quick/sqlite": 1.9, "Mine.Quick": 1.9,
                               "Other.Slow": 70.0})
    parts = programs.parts_of(asked, {"Mine"})
    assert [part.tests for part in parts] == [["Databases/Mine.Quick/sqlite", "Mine.Quick"], ["Other.Quick", "Other.Quicker"], ["Mine.Slow"],
                                              ["Other.Slow"]]


def test_small_parts_run_as_one():
    asked = program("a", "a", {"Other.A": 0.5, "Mine.B": 0.1})
    assert [part.tests for part in programs.parts_of(asked, {"Mine"})] == [["Mine.B", "Other.A"]]


def test_a_part_has_three_times_its_time():
    assert programs.Part(["a"], 1.0).limit == programs.LIMIT_LEAST_S
    assert programs.Part(["a"], 40.0).limit == 120.0


def test_suites_beside_the_file_are_related(tmp_path):
    folder = tmp_path / "src" / "order"
    folder.mkdir(parents=True)
    (folder / "lease_test.cpp").write_text("TEST_P(LeaseContract, Renews) {}\nTEST(Lease, Ends) {}\n")
    (folder / "scenes_test.cpp").write_text('#include "order/lease.hpp"\nTEST_F(Scenes, Play) {}\n')
    (folder / "other_test.cpp").write_text("TEST(Other, Thing) {}\n")
    assert programs.related_suites(tmp_path, "src/order/lease.cpp") == {"LeaseContract", "Lease", "Scenes"}


def test_what_takes_too_long_is_ended_with_all_it_started():
    ended = jobs.run(["sh", "-c", "setsid sleep 600 & echo $!; wait"], "/", dict(os.environ), 0.5)
    assert ended.code is None
    with pytest.raises(ProcessLookupError):
        while True:  # until it is reaped
            os.kill(int(ended.words), 0)
            if "Z" in pathlib.Path(f"/proc/{int(ended.words)}/stat").read_text().split()[2]:
                raise ProcessLookupError


def options(**chosen):
    return argparse.Namespace(**{"near": False, "again": False, "count": 100, "worlds": 60} | chosen)


@pytest.fixture
def mutant():
    return next(plant.mutants_of("src/a.cpp", "bool f(int a) {\n    return a < 1;\n}\n"))


def record_of(mutant, **changed):
    return {"id": mutant.id, "file": mutant.file, "line": 2, "operator": mutant.operator, "outcome": "survived", "stage": "", "near": False,
            "diff": "-a < 1\n+a <= 1"} | changed


def test_a_run_goes_on_where_the_last_one_ended(tmp_path, mutant):
    results = campaign.Results(tmp_path / "results.jsonl")
    assert campaign.is_open(mutant, results, options())
    results.add(record_of(mutant))
    assert not campaign.is_open(mutant, campaign.Results(tmp_path / "results.jsonl"), options())


def test_a_survivor_of_the_near_programs_is_shown_to_the_others(tmp_path, mutant):
    results = campaign.Results(tmp_path / "results.jsonl")
    results.add(record_of(mutant, near=True))
    assert campaign.is_open(mutant, results, options())
    assert not campaign.is_open(mutant, results, options(near=True))
    assert not campaign.is_open(mutant, results, options(worlds=10))


def test_again_asks_survivors_alone(tmp_path, mutant):
    results = campaign.Results(tmp_path / "results.jsonl")
    assert not campaign.is_open(mutant, results, options(again=True))
    results.add(record_of(mutant))
    assert campaign.is_open(mutant, results, options(again=True))
    results.add(record_of(mutant, outcome="noticed", stage="own"))
    assert not campaign.is_open(mutant, results, options(again=True))


def test_a_half_written_line_ends_nothing(tmp_path, mutant):
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(record_of(mutant)) + "\n" + '{"id": "12')
    assert campaign.Results(path).of(mutant)["outcome"] == "survived"


def test_the_report_counts_and_shows_survivors(tmp_path, mutant):
    results = campaign.Results(tmp_path / "results.jsonl")
    results.add(record_of(mutant))
    assert "| a | 1 | 0 | 0 | 0 | 1 | 0 % | 0 | 0 |" in report.table({"a": [mutant]}, results)
    assert "+a <= 1" in report.survivors({"a": [mutant]}, results)


def test_each_file_is_in_the_first_room_that_fits():
    assert campaign.room_of("src/order/adapters/order_cache.cpp") == "cache"
    assert campaign.room_of("src/platform/relay/relay.cpp") == "relay"
    assert campaign.room_of("src/platform/relay/wal/source.cpp") == "relay"
    assert campaign.room_of("src/base/money.cpp") == "base"


def test_the_first_worlds_are_asked_first():
    assert jobs.parts_of_worlds(60) == [(1, 5), (6, 20), (21, 60)]
    assert jobs.parts_of_worlds(10) == [(1, 5), (6, 10)]
    assert jobs.parts_of_worlds(0) == []


class ScriptedJob(jobs.Job):
    """Its processes end as the test says: which tests each ran into, and the one that failed or was under way when the time was up."""

    def __init__(self, *ends):
        super().__init__("/", 1, "mutate")
        self.ends, self.asked = list(ends), []

    def run_part(self, program, part, extra=()):
        self.asked.append(part.tests)
        code, passed, failed = self.ends.pop(0)
        words = "".join(f"[ RUN      ] {name}\n[       OK ] {name} (5 ms)\n" for name in passed)
        if failed:
            words += f"[ RUN      ] {failed}\n" + (f"[  FAILED  ] {failed} (5 ms)\n" if code else "")
        return jobs.Ended(code, words, 1.0)


def asked_of(job):
    return job.noticed_by(program("a", "a", {"A.A": 0.1, "A.B": 0.1, "A.C": 0.1}), set())


def test_a_failure_that_comes_again_alone_notices():
    job = ScriptedJob((1, ["A.A"], "A.B"), (1, [], "A.B"))
    assert asked_of(job) == "a: A.B"
    assert job.asked == [["A.A", "A.B", "A.C"], ["A.B"]]


def test_a_failure_that_does_not_come_again_was_chance():
    job = ScriptedJob((1, ["A.A"], "A.B"), (0, ["A.B"], ""), (0, ["A.C"], ""))
    assert asked_of(job) == ""
    assert job.asked[-1] == ["A.C"]


def test_a_test_that_takes_too_long_notices_only_if_it_does_so_alone():
    assert asked_of(ScriptedJob((None, ["A.A"], "A.B"), (0, ["A.B"], ""), (0, ["A.C"], ""))) == ""
    assert asked_of(ScriptedJob((None, ["A.A"], "A.B"), (None, [], "A.B"))) == "a: A.B (takes too long)"
