"""Rules, their unit tests, runbooks and dashboards agree with each other and with docs/metrics.md. promtool is part of Debian's prometheus."""
import json
import re
import subprocess
import sys

import pytest
import yaml

import promql

TESTS = sorted((promql.ROOT / "deploy/prometheus/tests").glob("*.yml"))
SEVERITIES = {"page", "ticket"}
PAGES_OF_THE_SPECIFICATION = {"relay-does-not-process-events", "inventory-does-not-respond", "order-hears-no-replies"}


def promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def cases():
    return [(file.name, case) for file in TESTS for case in yaml.safe_load(file.read_text())["tests"]]


def metric_of(series):
    return series.split("{")[0]


def test_prometheus_reads_rules_and_configuration():
    code, said = promtool("check", "config", promql.ROOT / "deploy/prometheus/prometheus.yml")
    assert code == 0, said
    assert f"{len(promql.rules())} rules found" in said


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_rules_fire_and_are_silent_as_they_should(file, tmp_path):
    # Where an alert fires, promtool is told besides to expect none, so that it shows the alert with its annotations: their templates expand.
    given = yaml.safe_load(file.read_text())
    assert given["rule_files"] == ["../rules.yml"]
    given["rule_files"] = [str(promql.RULES)]
    fires = set()
    for case in given["tests"]:
        looks = [(one["eval_time"], re.search(r'alertname="(\w+)"', one["exp_samples"][0]["labels"])[1])
                 for one in case["promql_expr_test"] if "exp_samples" in one]
        case["alert_rule_test"] = [{"eval_time": at, "alertname": name, "exp_alerts": []} for at, name in looks]
        fires |= {name for _, name in looks}
    (tmp_path / file.name).write_text(yaml.safe_dump(given))
    _, said = promtool("test", "rules", tmp_path / file.name)
    assert not re.search(r"^ +(expr|error|ERROR):", said, re.MULTILINE) and (fires or "SUCCESS" in said), said
    assert set(re.findall(r"alertname: *(\w+)", said)) == fires, said
    assert said.count("description=") >= len(fires)
    assert "error expanding" not in said and "<no value>" not in said, said


def test_each_alert_has_a_test_in_which_it_fires():
    fires = {name for _, case in cases() for one in case["promql_expr_test"] for sample in one.get("exp_samples", [])
             for name in re.findall(r'alertname="(\w+)"', sample["labels"])}
    assert fires == set(promql.alerts())


def test_each_alert_meets_its_metrics_in_a_system_without_a_fault():
    healthy = [case for file, case in cases() if file == "healthy.yml"]
    assert all(one["expr"] == "ALERTS" and "exp_samples" not in one for case in healthy for one in case["promql_expr_test"])
    there = {metric_of(one["series"]) for case in healthy for one in case["input_series"]} | set(promql.recorded())
    for name, alert in promql.alerts().items():
        missing = {metric for metric, _ in promql.selectors(alert["expr"])} - there
        assert not missing, f"healthy.yml never shows {missing} to {name}, so that its silence means nothing"


def test_each_alert_tells_a_person_what_to_do():
    for name, alert in promql.alerts().items():
        notes = alert["annotations"]
        assert alert["labels"]["severity"] in SEVERITIES, name
        assert notes["summary"].endswith(".") and ". " not in notes["summary"], f"{name}: a summary is one sentence"
        assert notes["description"].endswith("."), name
        page = promql.ROOT / notes["runbook"]
        assert page.parent == promql.ROOT / "docs/runbooks" and page.exists(), f"{name}: {notes['runbook']}"
        assert f"`{name}`" in page.read_text(), f"{notes['runbook']} does not name {name}"


def test_each_runbook_belongs_to_an_alert_and_has_its_three_parts():
    used = {alert["annotations"]["runbook"] for alert in promql.alerts().values()} | {f"docs/runbooks/{name}.md" for name in PAGES_OF_THE_SPECIFICATION}
    pages = [page for page in (promql.ROOT / "docs/runbooks").glob("*.md") if page.name != "README.md"]
    assert {str(page.relative_to(promql.ROOT)) for page in pages} == used
    index = (promql.ROOT / "docs/runbooks/README.md").read_text()
    for page in pages:
        text = page.read_text()
        assert [part for part in re.findall(r"^## (.*)$", text, re.MULTILINE)] == ["Meaning", "Look", "Mend"], page.name
        assert "```bash\n" in text, f"{page.name} has no command"
        assert f"({page.name})" in index, f"docs/runbooks/README.md does not list {page.name}"


def test_every_expression_asks_for_metrics_and_labels_that_the_page_names():
    known = promql.documented() | promql.recorded()
    asked = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in promql.rules()]
    asked += [(f"{file.name}: {title}", expr) for file in promql.DASHBOARDS for title, expr in promql.queries(file)]
    labels_of_all = set().union(*known.values()) | promql.OF_PROMETHEUS
    assert len(asked) > 100
    for where, expression in asked:
        used = promql.selectors(expression)
        assert used or "vector(" in expression, where
        for metric, labels in used:
            assert metric in known, f"{where}: docs/metrics.md has no {metric}"
            assert labels <= known[metric] | promql.OF_PROMETHEUS, f"{where}: {metric} has no {labels - known[metric]}"
        assert promql.grouping_labels(expression) <= labels_of_all, f"{where}: {promql.grouping_labels(expression) - labels_of_all}"


def test_durations_are_multiples_of_the_scrape_interval():
    text = promql.RULES.read_text()
    ranges = re.findall(r"\[(\w+)\][)\s]", text) + re.findall(r"for: (\w+)", text)
    assert len(ranges) > 60
    for one in ranges:
        number, unit = promql.DURATION.fullmatch(one).groups()
        assert float(number) * promql.SECONDS[unit] % 15 == 0, one


def test_faster_rules_differ_in_nothing_but_their_durations(tmp_path):
    text = promql.RULES.read_text()
    faster = promql.faster(text, 15)
    (tmp_path / "rules.yml").write_text(faster)
    code, said = promtool("check", "rules", tmp_path / "rules.yml")
    assert code == 0, said
    text_of_both = [re.sub(r" / 15(?=\))", "", re.sub(r"\[\w+\]|for: \w+|\b\d+ \* (?=sum_over_time)", "*", one)) for one in (text, faster)]
    assert text_of_both[0] == text_of_both[1]
    assert "for: 4000ms" in faster and "[20000ms]" in faster and "3 * 3600 / 15)" in faster and faster.count(" / 15)") == text.count("predict_linear")


def test_the_inhibitions_of_alertmanager_name_alerts_that_there_are():
    settings = yaml.safe_load((promql.ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
    matchers = [matcher for rule in settings["inhibit_rules"] for matcher in rule["source_matchers"] + rule["target_matchers"]]
    named = {name for matcher in matchers for name in re.findall(r"TrackOps\w+", matcher)}
    assert named and named <= set(promql.alerts())
    assert {route["receiver"] for route in settings["route"]["routes"]} <= {receiver["name"] for receiver in settings["receivers"]}


@pytest.mark.parametrize("file", promql.DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_complete_and_its_queries_parse(file, tmp_path):
    board = json.loads(file.read_text())
    assert board["uid"] == f"trackops-{file.stem}" and board["schemaVersion"] >= 38 and board["title"]
    assert board["templating"]["list"][0] | {"current": {}} == {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, f"{panel['title']} overlaps another"
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith("."), panel["title"]
            assert panel["targets"] and all(target["datasource"] == {"type": "prometheus", "uid": "${datasource}"} for target in panel["targets"])
    rules = [{"record": f"query:{i}", "expr": promql.filled_in(expr)} for i, (_, expr) in enumerate(promql.queries(file))]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    code, said = promtool("check", "rules", tmp_path / "rules.yml")
    assert code == 0, said


def test_the_dashboards_are_as_make_writes_them():
    sys.path.insert(0, str(promql.ROOT / "deploy/grafana"))
    import make  # noqa: PLC0415
    assert {path: path.read_text() for path in promql.DASHBOARDS} == make.files()


def test_there_are_the_dashboards_that_the_page_names():
    page = (promql.ROOT / "docs/operations/watch.md").read_text()
    named = set(re.findall(r"`deploy/grafana/([a-z-]+)\.json`", page))
    assert named == {file.stem for file in promql.DASHBOARDS} and len(named) >= 5
