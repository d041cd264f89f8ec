#!/usr/bin/env python3
"""The images of ./dev image, run as they would be in production: read-only, as an ordinary user, without a shell.
    tests/images.py [--engine docker]
Checks size, user, labels, health, the list of materials and its agreement with the files of the image. Exits 1 naming every fault."""
import argparse
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = {"order-service": [8080], "inventory-service": [8081], "event-relay-service": [8082], "trackops": [8080, 8081, 8082]}
SIZE_MAX = 60_000_000  # bytes, as `docker images` counts them
USER = "65532:65532"
LOCKED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]

faults = []


def check(is_so, what):
    if not is_so:
        faults.append(what)
        print(f"  FAULT: {what}")
    return is_so


class Engine:
    def __init__(self, name):
        self.name = name

    def ask(self, *arguments, ok=True, timeout=120):
        done = subprocess.run([self.name, *arguments], capture_output=True, timeout=timeout, check=False)
        if ok and done.returncode != 0:
            raise SystemExit(f"{self.name} {' '.join(arguments)}: {done.stderr.decode()}{done.stdout.decode()}")
        return done

    def text(self, *arguments):
        return self.ask(*arguments).stdout.decode().strip()

    def files(self, image):
        """{path: (TarInfo, content or None)} of the image's root, by an export of a container that never runs."""
        container = self.text("create", image, "--version")
        try:
            exported = self.ask("export", container).stdout
        finally:
            self.ask("rm", "-f", container)
        with tarfile.open(fileobj=io.BytesIO(exported)) as tar:
            return {member.name.rstrip("/"): (member, tar.extractfile(member).read() if member.isfile() and member.size < 2_000_000 else None) for member in tar}


def check_static(engine, program, ports):
    image = f"trackops/{program}"
    about = json.loads(engine.text("image", "inspect", image))[0]
    size = about["Size"]
    print(f"{program:<22} {size / 1e6:.1f} MB")
    check(size < SIZE_MAX, f"{program}: {size} bytes, more than {SIZE_MAX}")
    config = about["Config"]
    check(config["User"] == USER, f"{program}: runs as {config['User']}")
    labels = config.get("Labels") or {}
    for label in ("title", "description", "version", "revision", "licenses", "vendor"):
        check(labels.get(f"org.opencontainers.image.{label}"), f"{program}: no label {label}")
    version = engine.text("run", "--rm", *LOCKED, image, "--version")
    check(labels.get("org.opencontainers.image.version") == version, f"{program}: label and program disagree on the version {version}")
    check(config.get("Healthcheck", {}).get("Test", [])[-1:] == ["health"], f"{program}: no health check")
    check({f"{port}/tcp" for port in ports} == set(config.get("ExposedPorts") or {}), f"{program}: other ports are exposed")
    check(not [entry for entry in config["Env"] if "TRACKOPS" in entry], f"{program}: settings in the image")


def check_files(engine, program):
    files = engine.files(f"trackops/{program}")
    for path, (member, _) in files.items():
        check(not member.mode & 0o6000, f"{program}: {path} is setuid or setgid")
        check(not (member.isfile() and member.mode & 0o002), f"{program}: everybody may write {path}")
    for shell in ("bin/sh", "usr/bin/sh", "bin/bash", "usr/bin/env", "usr/bin/dpkg"):
        check(shell not in files, f"{program}: has {shell}")
    for path in ("etc/passwd", "etc/nsswitch.conf", "etc/ssl/certs/ca-certificates.crt", "usr/share/zoneinfo/Europe/London", "etc/os-release",
                 "usr/share/doc/trackops/LICENSE"):
        check(path in files, f"{program}: no {path}")
    entry = files.get("usr/share/doc/trackops/sbom.cdx.json")
    if not check(entry, f"{program}: no bill of materials"):
        return
    bill = json.loads(entry[1])
    check((bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6"), f"{program}: the bill is no CycloneDX 1.6")
    check(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"]), f"{program}: the bill has no serial number")
    refs = [component["bom-ref"] for component in bill["components"]]
    check(len(refs) == len(set(refs)), f"{program}: the bill names a component twice")
    check(set(bill["dependencies"][0]["dependsOn"]) == set(refs), f"{program}: the bill's dependencies are others than its components")
    loaded = {component["name"] for component in bill["components"] if component["properties"][0]["value"] == "loaded"}
    recorded = {path.rsplit("/", 1)[1] for path in files if path.startswith("var/lib/dpkg/status.d/") and not path.endswith(".md5sums")}
    check(loaded == recorded, f"{program}: the bill and dpkg's records differ: {loaded ^ recorded}")
    for name in ("libc6", "libssl3t64"):
        check(name in loaded, f"{program}: the bill has no {name}")
    owned = set()
    for path, (_, content) in files.items():
        if path.startswith("var/lib/dpkg/status.d/") and path.endswith(".md5sums"):
            owned |= {line.split("  ", 1)[1] for line in content.decode().splitlines()}
    libraries = {path for path, (member, _) in files.items() if ".so" in path.rsplit("/", 1)[-1] and not member.isdir()}
    check(libraries <= owned, f"{program}: no package is recorded for {libraries - owned}")
    check_schema(program, entry[1].decode())
    print(f"{'':<22} {len(loaded)} packages loaded from, {len(refs) - len(loaded)} compiled in, {len(libraries)} libraries")


def check_schema(program, bill):
    """Against the schema of CycloneDX, if its library is there; `./dev accept images` sees to it."""
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        print(f"{'':<22} the bill was not held against the schema: there is no module cyclonedx")
        return
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    check(fault is None, f"{program}: the bill breaks the schema: {fault}")


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return check(False, f"{what} within {seconds} s")


def health_of(engine, container):
    return json.loads(engine.text("inspect", container))[0]["State"].get("Health", {}).get("Status")


def check_runs(engine):
    """`trackops dev` in its container: a read-only root, an ordinary user, a volume for its data."""
    name, volume = f"trackops-test-{uuid.uuid4().hex[:8]}", f"trackops-test-{uuid.uuid4().hex[:8]}"
    began = time.monotonic()
    engine.text("run", "-d", "--name", name, *LOCKED, "-v", f"{volume}:/data", "-e", "TRACKOPS_DATA_DIR=/data", "trackops/trackops", "dev")
    try:
        wait_for(lambda: health_of(engine, name) == "healthy", 60, "trackops dev being healthy")
        print(f"trackops dev           healthy after {time.monotonic() - began:.1f} s, read-only, without capabilities")
        top = engine.text("top", name)
        check("trackops dev" in top, "trackops dev does not run")
        check("root" not in top.splitlines()[1].split()[0], f"trackops dev runs as root: {top}")
        check(engine.ask("exec", name, "/usr/bin/trackops", "health", ok=False).returncode == 0, "health says no")
        check(engine.ask("exec", name, "/bin/sh", "-c", "true", ok=False).returncode != 0, "there is a shell")
        said = engine.ask("exec", name, "/usr/bin/trackops", "verify", "--data-dir", "/data", ok=False)
        check(said.returncode == 0, f"trackops verify: {said.stdout.decode()}{said.stderr.decode()}")
        began = time.monotonic()
        engine.text("stop", "-t", "30", name)
        ended = json.loads(engine.text("inspect", name))[0]["State"]["ExitCode"]
        check(ended == 0, f"trackops dev ended with {ended}")
        print(f"{'':<22} stopped in {time.monotonic() - began:.1f} s with exit code {ended}")
    finally:
        engine.ask("rm", "-f", name, ok=False)
        engine.ask("volume", "rm", volume, ok=False)


def check_health_fails(engine):
    """A service without its database is unhealthy, and its health check says so without a shell."""
    name = f"trackops-test-{uuid.uuid4().hex[:8]}"
    engine.text("run", "-d", "--name", name, *LOCKED, "--health-interval", "1s", "--health-start-period", "1s", "-e", "TRACKOPS_BUS_URL=kafka://127.0.0.1:1",
                "-e", "TRACKOPS_DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "trackops/event-relay-service")
    try:
        wait_for(lambda: health_of(engine, name) == "unhealthy", 60, "a relay without a database being unhealthy")
        log = json.loads(engine.text("inspect", name))[0]["State"].get("Health", {}).get("Log") or [{}]
        check('"db":{"status":"DOWN"' in log[-1].get("Output", ""), f"the health check does not say why: {log[-1]}")
    finally:
        engine.ask("rm", "-f", name, ok=False)
    refused = engine.ask("run", "--rm", *LOCKED, "-e", "TRACKOPS_ADDRESS=0.0.0.0", "trackops/order-service", ok=False)
    check(refused.returncode == 2 and b"--behind-proxy" in refused.stderr and b"--access-file" in refused.stderr, f"an open address is not refused: {refused}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="docker")
    engine = Engine(parser.parse_args().engine)
    for program, ports in PROGRAMS.items():
        check_static(engine, program, ports)
        check_files(engine, program)
    check_runs(engine)
    check_health_fails(engine)
    print("the images are as they should be" if not faults else f"{len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
