"""`trackops routes`: the route tables, printed without a database and without a trace on the disk."""
import json
import os
import subprocess

from harness import PROGRAM


def run(folder, *arguments):
    done = subprocess.run([PROGRAM, "routes", *arguments], cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60,
                          check=False)
    assert not list(folder.iterdir())
    return done


def test_the_table_of_every_service_is_printed(tmp_path):
    done = run(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [row["service"] for row in rows] == sorted((row["service"] for row in rows), key=["order", "inventory", "relay"].index)
    by_route = {(row["service"], row["method"], row["pattern"]): row for row in rows}
    assert len(by_route) == len(rows)
    assert by_route["order", "POST", "/api/orders"] == {
        "service": "order", "method": "POST", "pattern": "/api/orders", "scope": "orders:write", "body": "json", "bodyBytesMax": 8 * 1024 * 1024,
        "bodyOptional": False, "answer": "json", "idempotencyKey": "required", "work": "memory"}
    assert by_route["inventory", "POST", "/api/inventory/items/{sku}/adjustments"]["idempotencyKey"] == "required"
    assert by_route["inventory", "POST", "/api/relay/pause"]["scope"] == "operate"
    for service in ("order", "inventory", "relay"):
        assert by_route[service, "GET", "/actuator/prometheus"]["scope"] == "metrics:read"
        assert by_route[service, "GET", "/actuator/health/readiness"]["scope"] == "everybody"
    for row in rows:
        is_query = row["method"] == "GET"
        assert not is_query or (row["body"], row["bodyBytesMax"], row["idempotencyKey"]) == ("none", 0, "none"), row
        is_question = row["pattern"] == "/api/inventory/availability"  # a POST that changes nothing
        assert is_query or is_question or row["scope"].endswith(":write") or row["scope"] == "operate" or row["pattern"].startswith("/api/sessions"), row


def test_the_text_has_a_line_for_each_row(tmp_path):
    rows = json.loads(run(tmp_path, "--json").stdout)
    head, *lines = run(tmp_path).stdout.splitlines()
    assert head.split() == ["SERVICE", "METHOD", "PATTERN", "SCOPE", "BODY", "ANSWER", "KEY", "WORK"]
    assert [line.split()[:4] for line in lines] == [[row["service"], row["method"], row["pattern"], row["scope"]] for row in rows]


def test_other_arguments_are_refused(tmp_path):
    done = run(tmp_path, "--yaml")
    assert done.returncode == 2 and "trackops routes [--json]" in done.stderr
