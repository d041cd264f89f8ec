"""`trackops sim` calls the program trackops-sim, which stands beside it."""
import shutil
import subprocess

import harness


def test_one_world_is_simulated():
    ended = subprocess.run([harness.PROGRAM, "sim", "--seed", "1"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "1 worlds, 0 broken" in ended.stdout


def test_its_exit_code_and_messages_come_through():
    ended = subprocess.run([harness.PROGRAM, "sim", "--seeds", "x"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "trackops sim: seeds are numbers: --seed 7, --seeds 1..200\n"


def test_without_that_program_it_says_how_to_build_it(tmp_path):
    alone = shutil.copy(harness.PROGRAM, tmp_path / "trackops")
    ended = subprocess.run([alone, "sim"], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert f"{tmp_path}/trackops-sim: No such file or directory" in ended.stderr
    assert "./dev build release trackops-sim" in ended.stderr
