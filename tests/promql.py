"""Reads rules, dashboards and docs/metrics.md: which metrics an expression asks for, and which there are."""
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
RULES = ROOT / "deploy/prometheus/rules.yml"
DASHBOARDS = sorted((ROOT / "deploy/grafana").glob("*.json"))
OF_PROMETHEUS = {"job", "instance"}  # labels that a scrape adds
FOREIGN = {"up": set(), "node_filesystem_avail_bytes": {"fstype", "mountpoint"}, "node_filesystem_size_bytes": {"fstype", "mountpoint"}}
CLAUSE = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\(|[\w:])")
KEYWORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right", "inf", "nan"}
DURATION = re.compile(r"\b(\d+)(ms|s|m|h|d)\b")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def documented():
    """{name: labels} of docs/metrics.md, a histogram by its three names."""
    found = dict(FOREIGN)
    for name, kind, labels in re.findall(r"^\| `([a-z_]+)` \| (\w+) \|([^|]*)\|", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE):
        its = set(re.findall(r"`(\w+)`", labels))
        if kind == "histogram":
            found |= {f"{name}_bucket": its | {"le"}, f"{name}_sum": its, f"{name}_count": its}
        else:
            found[name] = its
    return found


def selectors(expression):
    """[(metric, labels of its matchers)] of an expression."""
    values = re.compile(r'"[^"]*"')
    text = CLAUSE.sub(" ", values.sub('""', expression))
    text = re.sub(r"\[[^\]]*\]", " ", text)
    return [(name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))) for name, matchers in NAME.findall(text) if name not in KEYWORDS]


def grouping_labels(expression):
    return {label.strip() for _, labels in CLAUSE.findall(expression) for label in labels.split(",") if label.strip()}


def rules():
    """Every rule, recording rules and alerts, in the order of the file."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts():
    """{name: alert}"""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded():
    """{name: labels} of what the recording rules make."""
    found = {}
    for rule in rules():
        if "record" in rule:
            found.setdefault(rule["record"], set()).update(rule.get("labels", {}))
    return found


def queries(dashboard):
    """[(title of the panel, expression)] of one file."""
    panels = json.loads(dashboard.read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]


def filled_in(expression, interval="2m"):
    """A dashboard's expression as Grafana would send it for all services."""
    return expression.replace("$__rate_interval", interval).replace("$service", ".*")


def faster(text, factor):
    """Rules in which time runs faster: every range, every `for` and the horizon of every forecast is shorter by a factor. Scrapes and evaluations must
    be as much faster. Thresholds stay as they are."""
    def shorter(match):
        return f"{round(float(match[1]) * SECONDS[match[2]] * 1000 / factor)}ms"
    text = re.sub(r"(?<=for: )\S+", lambda match: DURATION.sub(shorter, match[0]), text)
    text = re.sub(r"\[[^\]\n]*\](?=[)\s,])", lambda match: DURATION.sub(shorter, match[0]), text)
    text = re.sub(r"(predict_linear\([^)]*\], [\d *]+)\)", rf"\1 / {factor})", text)
    return re.sub(r"\b15 \* (?=sum_over_time)", f"{15 / factor:g} * ", text)  # the interval of evaluations
