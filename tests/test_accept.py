"""./dev accept: an area without checks is never taken for one that passed."""
import pathlib
import shutil
import subprocess

import pytest

FOLDER = pathlib.Path(__file__).resolve().parent / "accept"


@pytest.fixture
def accept(tmp_path):
    shutil.copy(FOLDER / "run", tmp_path / "run")

    def area(name, code):
        (tmp_path / name).write_text(f"#!/bin/sh\n# An area of the test.\nexit {code}\n")
        (tmp_path / name).chmod(0o755)

    def run(*arguments):
        return subprocess.run([tmp_path / "run", *arguments], capture_output=True, text=True)
    run.area = area
    return run


def test_an_unknown_area_is_answered_with_those_there_are(accept):
    ended = accept("moon")
    assert ended.returncode == 2
    assert "moon" in ended.stderr and "kubernetes" in ended.stderr and not ended.stdout


def test_an_empty_area_has_not_passed(accept):
    ended = accept("tls")
    assert ended.returncode == 3
    assert ended.stdout == "no checks yet, not counted as passed: tls\n"


def test_an_area_passes_or_fails_as_its_checks_do(accept):
    accept.area("tls", 0)
    accept.area("soak", 7)
    assert (accept("tls").returncode, accept("tls").stdout) == (0, "passed: tls\n")
    assert (accept("soak").returncode, accept("soak").stdout) == (1, "FAILED: soak\n")


def test_all_areas_run_even_behind_one_that_fails(accept):
    accept.area("contract", 1)
    accept.area("mutate", 0)
    ended = accept()
    assert ended.returncode == 1
    assert "passed: mutate\nFAILED: contract\nno checks yet, not counted as passed: edge metrics admin images compose" in ended.stdout


def test_the_list_says_what_an_area_checks(accept):
    accept.area("tls", 0)
    ended = accept("--list")
    assert ended.returncode == 0
    assert "tls         An area of the test.\n" in ended.stdout and "browser     no checks yet\n" in ended.stdout


def test_each_area_that_has_checks_is_known(accept):
    known = accept("--list").stdout.split()
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} - {"run"} <= set(known)
