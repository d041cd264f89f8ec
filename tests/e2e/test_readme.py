"""The commands of README.md and of the tutorial, run as they stand there; only the ports are the test's own."""
import re
import subprocess

import pytest

from harness import ROOT
from programs import lend


@pytest.fixture
def program_on_sqlite(request, tmp_path_factory):
    yield from lend("sqlite", tmp_path_factory)


def blocks(page):
    return [block for block in re.findall(r"```bash\n(.*?)```", (ROOT / page).read_text(), re.DOTALL) if "curl" in block]


def output_of(script, ports):
    for default, service in (("8080", "order"), ("8081", "inventory")):
        assert f"localhost:{default}" in script
        script = script.replace(f"localhost:{default}", f"127.0.0.1:{ports[service]}")
    return subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_first_order_of_a_newcomer(program_on_sqlite):
    output = output_of(blocks("README.md")[0], program_on_sqlite.start().ports)
    assert '"status":"CONFIRMED"' in output
    assert '"onHand":10,"reserved":6,"available":4' in output


def test_the_tutorial_shows_what_it_says(program_on_sqlite):
    output = output_of("\n".join(blocks("docs/start/first-order.md")), program_on_sqlite.start().ports)
    assert "Idempotency-Replayed: true" in output
    assert '"to":"CONFIRMED"' in output and '"actor":"inventory"' in output
    assert '"cancelReason":"CHANGED_MIND"' in output
    assert '"onHand":10,"reserved":0,"available":10' in output
    assert output.count('"type":"ORDER_CANCELLATION"') == 1 and '"status":"RUNNING"' not in output
    assert '"cancelReason":"OUT_OF_STOCK"' in output


def test_an_order_is_led_through_its_life(program_on_sqlite):
    output = output_of("\n".join(blocks("docs/how-to/lead-an-order-through-its-life.md")), program_on_sqlite.start().ports)
    for status in ("PROCESSING", "SHIPPED", "DELIVERED"):
        assert f'"status":"{status}"' in output
    assert '"cancelReason":"CHANGED_MIND"' in output
    assert '"delta":1,"onHandAfter":9,"reason":"RETURN","orderId":"' in output
    assert '"status":200,"version":' in output and '"onHand":9}' in output  # the count
    assert output.count('"to":') == 5 and '"status":"FULFILLED"' in output


def test_every_verb_it_names_is_one_of_devs():
    named = set(re.findall(r"\./dev ([a-z]+)", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()))
    usage = subprocess.run([ROOT / "dev"], capture_output=True, text=True, check=False)
    assert usage.returncode == 2
    assert named and named <= set(re.findall(r"^#   ([a-z]+)", usage.stdout, re.MULTILINE))


def test_every_file_it_points_to_is_there():
    pages = [ROOT / page for page in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "src/README.md", "fuzz/README.md", "demo/README.md")]
    for page in pages + sorted((ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            assert target.startswith("http") or (page.parent / target).exists(), f"{page} points to {target}"
