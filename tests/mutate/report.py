"""What a campaign found, as Markdown: a table by room, and each survivor with its diff."""


def _known(mutants, results):
    return [record for mutant in mutants if (record := results.of(mutant))]


def table(rooms, results):
    lines = ["| room | mutants | noticed by its tests | by the worlds | by other programs | survived | score | equivalent | not compiled |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    total = [0] * 7
    for room, mutants in rooms.items():
        known = _known(mutants, results)
        counts = [sum(r["outcome"] == "noticed" and r["stage"] == stage for r in known) for stage in ("own", "worlds", "others")]
        counts += [sum(r["outcome"] == outcome for r in known) for outcome in ("survived", "equivalent", "uncompiled")]
        compiled = sum(counts[:4])
        total = [a + b for a, b in zip(total, [compiled, *counts])]
        lines.append(_row(room, [compiled, *counts]))
    return "\n".join([*lines, _row("all", total)])


def _row(name, counts):
    compiled, own, worlds, others, survived, equivalent, uncompiled = counts
    score = f"{100 * (compiled - survived) / compiled:.0f} %" if compiled else "-"
    return f"| {name} | {compiled} | {own} | {worlds} | {others} | {survived} | {score} | {equivalent} | {uncompiled} |"


def survivors(rooms, results):
    blocks = []
    for room, mutants in rooms.items():
        for record in _known(mutants, results):
            if record["outcome"] == "survived":
                near = ", other folders' programs not asked" if record["near"] else ""
                blocks.append(f"\n{record['id']} {room}: {record['file']}:{record['line']}, {record['operator']}{near}\n```diff\n{record['diff']}\n```")
    return "\n".join(blocks) or "\nNo mutant survived."
