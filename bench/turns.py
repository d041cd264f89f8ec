"""Two builds of the product in turns: the median of the paired ratios with its 95 % interval."""
import contextlib
import random
import pathlib
import statistics
import sys

sys.path += [str(pathlib.Path(__file__).resolve().parents[1] / "tests"), str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e")]
import cluster  # noqa: E402
import harness  # noqa: E402

FIGURES = {"per_s": False, "p99_ms": True, "p50_ms": True}  # compared, and whether less is better
RESAMPLES = 10_000


@contextlib.contextmanager
def programs_of(folder):
    """The product's processes come from this folder; what loads and checks them stays."""
    kept = harness.PROGRAM, cluster.PROGRAM
    harness.PROGRAM = cluster.PROGRAM = str(folder / "trackops")
    try:
        yield
    finally:
        harness.PROGRAM, cluster.PROGRAM = kept


def interval(ratios, seed=1):
    """(median, low, high): the bootstrap's 2.5th and 97.5th percentile of the median."""
    chance = random.Random(seed)
    medians = sorted(statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    return statistics.median(ratios), medians[RESAMPLES * 25 // 1000], medians[RESAMPLES * 975 // 1000 - 1]


def is_product(case):
    return case.startswith(("product", "embedded"))


def measure(cases, rounds, old, new, say):
    """{case: [(figures of old, figures of new) of each round]}; who begins changes from round to round."""
    measured = {case: [] for case in cases}
    for number in range(rounds):
        for case, work in cases.items():
            pair = {}
            for name, folder in ([("old", old), ("new", new)] if number % 2 == 0 else [("new", new), ("old", old)]):
                with programs_of(folder):
                    pair[name] = work()
            measured[case].append((pair["old"], pair["new"]))
            say(f"round {number + 1}: {case}: " + ", ".join(
                f"{figure} {pair['old'][figure]:.4g} -> {pair['new'][figure]:.4g}" for figure in FIGURES if figure in pair["old"]))
    return measured


def compared(measured):
    """Rows of case, figure, median of new / old, its interval."""
    for case, pairs in measured.items():
        for figure in FIGURES:
            if figure in pairs[0][0]:
                yield case, figure, *interval([new[figure] / old[figure] for old, new in pairs])


def has_lost(figure, low, high, bound):
    """Whether new is surely worse than the bound: its whole interval lies beyond it."""
    return low > 1 / bound if FIGURES[figure] else high < bound
