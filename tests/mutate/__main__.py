"""./dev mutate [PATH...]: plants small faults in the product, one at a time, and lists those that no test and no simulated world notices.

A mutant is compiled, then asked are: the test programs of its folder (related and quick tests first), sixty simulated worlds, and the other
programs that hold it. The first failure ends it. What does not compile, or compiles to the same, does not count. Results stay in
build/mutate/results.jsonl, so that a run goes on where the last one ended; a file that changed since is begun anew.
"""
import argparse
import os
import pathlib
import signal
import sys

sys.dont_write_bytecode = True

import campaign  # noqa: E402
import report  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read_arguments():
    parser = argparse.ArgumentParser(prog="./dev mutate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files or folders; without one: domain, stores, batch, outbox, relay, consumer, cache, HTTP")
    parser.add_argument("--count", type=int, default=100, help="so many compiled mutants, those of earlier runs included (100)")
    parser.add_argument("--minutes", type=float, default=60, help="no new mutant after that long (60)")
    parser.add_argument("--seed", default="1", help="which faults are drawn (1)")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once, each with a source tree, a build and servers of its own (2)")
    parser.add_argument("--preset", default="mutate", help="what is built; dev has the sanitizers, sees more and takes longer (mutate)")
    parser.add_argument("--near", action="store_true", help="leave out the programs of other folders; a later run without it asks them")
    parser.add_argument("--worlds", type=int, default=60, help="simulated worlds; with fewer, a later run with all of them asks survivors again (60)")
    parser.add_argument("--again", action="store_true", help="only what survived before: did a new test help?")
    parser.add_argument("--list", action="store_true", help="print the mutants that would be next, and stop")
    parser.add_argument("--report", action="store_true", help="print what is known of these paths, and stop")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    os.chdir(ROOT)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit("./dev mutate: told to stop; the next run goes on from here"))
    rooms = campaign.rooms_of(ROOT, arguments.paths, arguments.seed)
    if not any(rooms.values()):
        sys.exit("./dev mutate: no product code in these paths")
    results = campaign.Results(ROOT / "build" / "mutate" / "results.jsonl")
    if arguments.list:
        print("\n\n".join(mutant.diff((ROOT / mutant.file).read_text()) for mutant in campaign.planned(rooms, results, arguments)))
        return
    if not arguments.report:
        campaign.Campaign(ROOT, rooms, results, arguments).run()
    print(report.table(rooms, results))
    print(report.survivors(rooms, results))


if __name__ == "__main__":
    main()
