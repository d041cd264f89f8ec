"""The commands of README.md, run as they stand there; only the ports are the test's own."""
import re
import subprocess

import pytest

from harness import ROOT


@pytest.fixture
def program_on_sqlite(request, tmp_path_factory):
    from conftest import lend
    yield from lend("sqlite", tmp_path_factory)


def blocks():
    return re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_first_order_of_a_newcomer(program_on_sqlite):
    ports = program_on_sqlite.start().ports
    script = next(block for block in blocks() if "curl" in block)
    for default, service in (("8080", "order"), ("8081", "inventory")):
        assert f"localhost:{default}" in script
        script = script.replace(f"localhost:{default}", f"127.0.0.1:{ports[service]}")
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True, timeout=60)
    assert '"status":"CONFIRMED"' in done.stdout
    assert '"onHand":10,"reserved":6,"available":4' in done.stdout


def test_every_verb_it_names_is_one_of_devs():
    named = set(re.findall(r"\./dev ([a-z]+)", (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()))
    usage = subprocess.run([ROOT / "dev"], capture_output=True, text=True, check=False)
    assert usage.returncode == 2
    assert named and named <= set(re.findall(r"^#   ([a-z]+)", usage.stdout, re.MULTILINE))


def test_every_file_it_points_to_is_there():
    for page in ("README.md", "CONTRIBUTING.md", "docs/architecture.md"):
        folder = (ROOT / page).parent
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
            assert target.startswith("http") or (folder / target).exists(), f"{page} points to {target}"
