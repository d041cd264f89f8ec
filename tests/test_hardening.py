"""The release programs are built against faults that are exploited: what readelf finds in each of them."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = pathlib.Path(os.environ.get("TRACKOPS_TEST_BIN", ROOT / "build/release/bin/trackops")).parent
PROGRAMS = ("trackops", "order-service", "inventory-service", "event-relay-service")


def is_debug_build():
    """Such a build has sanitizers or no optimisation, which exclude some of it."""
    cache = FOLDER.parent / "CMakeCache.txt"
    return cache.exists() and "CMAKE_BUILD_TYPE:STRING=Release" not in cache.read_text()


pytestmark = pytest.mark.skipif(is_debug_build(), reason="by design: only release builds are hardened")


def readelf(option, program):
    done = subprocess.run(["readelf", "-W", option, FOLDER / program], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_code_lies_where_chance_puts_it(program):
    assert re.search(r"Type:\s+DYN", readelf("-h", program)), "no position-independent executable"
    assert re.search(r"FLAGS_1\).*\bPIE\b", readelf("-d", program))


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_tables_of_the_linker_are_read_only_when_main_begins(program):
    assert "GNU_RELRO" in readelf("-l", program)
    assert re.search(r"FLAGS_1\).*\bNOW\b", readelf("-d", program)), "symbols are bound late, so their table stays writable"


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_both_writable_and_executable(program):
    segments = re.findall(r"^\s+(LOAD|GNU_STACK)\s+(?:0x\w+\s+){5}([R ][W ][E ])", readelf("-l", program), re.MULTILINE)
    assert {"LOAD", "GNU_STACK"} <= {kind for kind, _ in segments}
    assert not [segment for segment in segments if "W" in segment[1] and "E" in segment[1]]


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_overflow_ends_the_program(program):
    imported = set(re.findall(r"\bUND (\w+)", readelf("--dyn-syms", program)))
    assert "__stack_chk_fail" in imported, "built without -fstack-protector"
    # A function that ends in _chk knows the size of what it writes to (_FORTIFY_SOURCE).
    assert [name for name in imported if re.fullmatch(r"__\w+_chk", name)], sorted(imported)
