"""Tables of what was measured, and the one in docs/performance.md."""
import json
import re

from machine import ROOT, median
from targets import TARGETS

RESULTS = ROOT / "bench/results"
PAGE = ROOT / "docs/performance.md"


def shown(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(values):
    """The median, and between what it lies."""
    if len(values) == 1:
        return shown(values[0])
    return f"{shown(median(values))} ({shown(min(values))}-{shown(max(values))})"


def table(rows):
    rows = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows) + "\n"


def cases_table(cases):
    figures = list(dict.fromkeys(figure for rounds in cases.values() for one in rounds for figure in one))
    rows = [["case", *figures]]
    for case, rounds in cases.items():
        rows.append([case, *(spread([one[figure] for one in rounds]) if rounds and figure in rounds[0] else "" for figure in figures)])
    return table(rows)


def figures_of(cases, place):
    case, figure = place
    return [one[figure] for one in cases.get(case, [])]


def target_row(target, cases):
    """What, floor, product, ratio, must, aim, verdict; nothing when it was not measured."""
    product = figures_of(cases, target.product)
    floor = figures_of(cases, target.floor) if target.floor else []
    if not product or (target.floor and not floor):
        return None
    values = [mine / its for mine, its in zip(product, floor)] if floor else product
    sign = "<=" if target.lower else ">="
    return [target.number, target.what, f"{target.floor[0]}: {spread(floor)}" if floor else "", spread(product),
            spread(values) if floor else "", f"{sign} {target.must:g} {target.unit}".rstrip(), f"{sign} {target.aim:g} {target.unit}".rstrip(),
            target.met(median(values))]


HEAD = ["#", "target", "floor", "product", "ratio", "must", "aim", "reached"]


def targets_table(runs):
    """runs: {bench: what its JSON holds}. Rows that nobody measured stay empty."""
    rows = [HEAD]
    for target in TARGETS:
        cases = runs[target.bench]["cases"] if target.bench in runs else {}
        empty = [target.number, target.what, target.floor[0] if target.floor else "", "", "", f"{target.must:g} {target.unit}".rstrip(),
                 f"{target.aim:g} {target.unit}".rstrip(), ""]
        rows.append(target_row(target, cases) or empty)
    return table(rows)


def write(name, run, folder):
    """The raw figures and a page of a bench."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(run, indent=1) + "\n")
    rows = [row for target in TARGETS if target.bench == name and (row := target_row(target, run["cases"]))]
    page = (f"# {name}: {run['rounds']} rounds of {run['seconds']:g} s, medians (min-max)\n\n{run['at']}, load {run['load']:.1f} before and "
            f"{run['load_after']:.1f} after, commit {run['commit']}\n\n" + cases_table(run["cases"]))
    if rows:
        page += "\n" + table([HEAD, *rows])
    (folder / f"{name}.md").write_text(page)
    return page


def update_page():
    """Puts what bench/results holds into docs/performance.md, between its marks."""
    runs = {file.stem: json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))}
    measured = ", ".join(f"{name} {run['rounds']} x {run['seconds']:g} s on {run['at']} at {run['commit']}" for name, run in runs.items())
    blocks = {"targets": targets_table(runs) + f"\nMeasured: {measured or 'nothing yet'}.\n",
              "cases": "\n".join(f"### {name}\n\n{cases_table(run['cases'])}" for name, run in runs.items())}
    text = PAGE.read_text()
    for mark, block in blocks.items():
        text, count = re.subn(rf"(<!-- {mark}:begin -->\n).*?(<!-- {mark}:end -->)", lambda found, block=block: found[1] + block + found[2], text, flags=re.DOTALL)
        if count != 1:
            raise SystemExit(f"{PAGE}: no place for {mark}")
    PAGE.write_text(text)
