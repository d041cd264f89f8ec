"""From perf's stacks to a list of functions and a flame graph."""
import collections
import html
import re

WIDTH, ROW = 1400, 17


def shortened(name):
    """Without template arguments and parameters: readable in a list."""
    while (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    while (shorter := re.sub(r"\([^()]*\)( const)?", "", name)) != name:
        name = shorter
    return name.removeprefix("trackops::").split("[clone")[0].strip() or "?"


def folded(script):
    """{(thread, outermost, ..., innermost): samples} of what `perf script -F comm,ip,sym` prints."""
    stacks = collections.Counter()
    for block in script.split("\n\n"):
        lines = block.strip("\n").split("\n")
        if len(lines) < 2:
            continue
        frames = [shortened(line.split(None, 1)[1]) if len(line.split(None, 1)) > 1 else "?" for line in lines[1:]]
        stacks[lines[0].strip(), *reversed(frames)] += 1
    return stacks


def functions(stacks, most=40):
    """Lines: share by itself, share with what it calls, name."""
    total = sum(stacks.values())
    own, whole = collections.Counter(), collections.Counter()
    for stack, samples in stacks.items():
        own[stack[-1]] += samples
        for name in set(stack[1:]):
            whole[name] += samples
    yield f"{total} samples\n\nby itself, most first: itself, with callees, function"
    for name, samples in own.most_common(most):
        yield f"{100 * samples / total:6.1f}% {100 * whole[name] / total:6.1f}%  {name}"
    yield "\nwith what it calls, most first"
    for name, samples in whole.most_common(2 * most):
        yield f"{100 * own[name] / total:6.1f}% {100 * samples / total:6.1f}%  {name}"


def svg(stacks):
    """A picture; each box tells its name and share under the mouse."""
    tree = {"samples": 0, "calls": {}}
    for stack, samples in stacks.items():
        node = tree
        node["samples"] += samples
        for name in stack:
            node = node["calls"].setdefault(name, {"samples": 0, "calls": {}})
            node["samples"] += samples
    boxes, deepest = [], 0

    def draw(node, x, depth):
        nonlocal deepest
        deepest = max(deepest, depth)
        for name, call in sorted(node["calls"].items()):
            width = WIDTH * call["samples"] / tree["samples"]
            if width >= 0.5:
                boxes.append((x, depth, width, name, call["samples"]))
                draw(call, x, depth + 1)
            x += width

    draw(tree, 0, 0)
    height = (deepest + 1) * ROW
    shapes = []
    for x, depth, width, name, samples in boxes:
        y, hue = height - (depth + 1) * ROW, sum(map(ord, name)) % 50
        label = html.escape(name[:int(width / 6.5)] if width > 30 else "")
        shapes.append(f'<g><title>{html.escape(name)}: {100 * samples / tree["samples"]:.1f}%</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" '
                      f'height="{ROW - 1}" fill="hsl({hue},85%,65%)"/><text x="{x + 2:.1f}" y="{y + 12}">{label}</text></g>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="monospace" font-size="11">'
            + "\n".join(shapes) + "</svg>\n")
