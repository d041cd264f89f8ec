"""./dev bench --against: a slower program is told from chance."""
import pathlib
import random
import sys

import pytest

sys.path += [str(pathlib.Path(__file__).resolve().parents[1] / "bench"), str(pathlib.Path(__file__).resolve().parent / "e2e")]
import turns  # noqa: E402


def ratios(middle, spread, count=12, seed=7):
    chance = random.Random(seed)
    return [chance.gauss(middle, spread) for _ in range(count)]


@pytest.mark.parametrize("middle, spread, lost", [(1.0, 0.05, False), (0.9, 0.01, True), (0.96, 0.05, False), (1.2, 0.01, False)])
def test_a_rate_is_lost_when_its_whole_interval_lies_below_the_bound(middle, spread, lost):
    median, low, high = turns.interval(ratios(middle, spread))
    assert low <= median <= high
    assert turns.has_lost("per_s", low, high, 0.97) is lost


def test_of_a_latency_more_is_worse():
    assert turns.has_lost("p99_ms", 1.1, 1.3, 0.97)
    assert not turns.has_lost("p99_ms", 0.7, 0.9, 0.97)
    assert not turns.has_lost("p99_ms", 1.0, 1.3, 0.97)


def test_each_build_begins_every_other_round_and_pairs_stay_together():
    begun = []

    def work():
        begun.append(turns.harness.PROGRAM)
        return {"per_s": float(len(begun))}
    measured = turns.measure({"product": work}, 2, pathlib.Path("/old"), pathlib.Path("/new"), lambda _: None)
    assert begun == ["/old/trackops", "/new/trackops", "/new/trackops", "/old/trackops"]
    assert measured == {"product": [({"per_s": 1.0}, {"per_s": 2.0}), ({"per_s": 4.0}, {"per_s": 3.0})]}
