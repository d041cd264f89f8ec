"""`./dev package`: the tarball is whole, its programs run, and systemd accepts its units."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(os.environ.get("TRACKOPS_TEST_BIN", ROOT / "build/release/bin/trackops")).parent
SERVICES = ["order-service", "inventory-service", "event-relay-service"]
EXPOSURE_MAX = 2.0  # of 10, as `systemd-analyze security` rates; a unit without hardening has 9.6


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The unpacked tarball."""
    folder = tmp_path_factory.mktemp("package")
    made = run(ROOT / "deploy/package/make", BIN, folder)
    assert made.returncode == 0, made
    assert run("sha256sum", "-c", pathlib.Path(made.stdout.strip()).name + ".sha256", cwd=folder).returncode == 0
    assert run("tar", "-xzf", made.stdout.strip(), "-C", folder).returncode == 0
    return pathlib.Path(made.stdout.strip().removesuffix(".tar.gz"))


def test_it_holds_what_its_page_names(package):
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert files == {"LICENSE", "README.md", "PACKAGES", "share/roles.sql", "bin/trackops",
                     *(f"{folder}/{name}{end}" for name in SERVICES for folder, end in (("bin", ""), ("systemd", ".service"), ("systemd", ".env")))}
    packages = [line for line in (package / "PACKAGES").read_text().splitlines() if not line.startswith("#")]
    assert {"libc6", "libpq5", "librdkafka1"} <= set(packages) and "" not in packages, packages
    for name in packages:
        assert run("dpkg-query", "-W", name).returncode == 0, name


def test_its_programs_run(package):
    versions = {run(package / "bin" / name, "--version", env={}).stdout for name in (*SERVICES, "trackops")}
    assert len(versions) == 1 and re.fullmatch(r"\d+\.\d+\.\d+\n", versions.pop())


@pytest.mark.parametrize("name", SERVICES)
def test_its_settings_are_accepted_and_its_passwords_are_read(package, name, tmp_path):
    unit = (package / f"systemd/{name}.service").read_text()
    given = dict(line.split("=", 1) for line in (package / f"systemd/{name}.env").read_text().splitlines() if not line.startswith("#"))
    credentials = re.findall(r"^LoadCredential=([a-z-]+):(\S+)$", unit, re.MULTILINE)
    for credential, path in credentials:
        assert path == f"/etc/trackops/{name}/{credential}"
        (tmp_path / credential).write_text("secret\n")
    for variable, credential in re.findall(r"^Environment=(\w+)=%d/([a-z-]+)$", unit, re.MULTILINE):
        assert credential in dict(credentials)
        given[variable] = str(tmp_path / credential)
    assert len(given) > len(credentials)
    told = run(package / "bin" / name, "--print-config", env=given)
    assert told.returncode == 0, told
    for credential, _ in credentials:
        assert f"{credential} = ****** (file)" in told.stdout, told


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="by design: this machine has no systemd")
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_accepts_its_units_and_finds_them_closed(package, name, tmp_path):
    unit = tmp_path / f"{name}.service"
    unit.write_text((package / f"systemd/{name}.service").read_text().replace("/usr/local/bin", str(package / "bin")))
    told = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit)
    assert told.returncode == 0 and name not in told.stderr, told
    rated = run("systemd-analyze", "security", "--offline=true", f"--threshold={int(EXPOSURE_MAX * 10)}", "--no-pager", unit)
    assert rated.returncode == 0, rated.stdout[-1500:] + rated.stderr
    print(rated.stdout.strip().splitlines()[-1])
