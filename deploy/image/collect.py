#!/usr/bin/env python3
"""Makes the root folder of an image: one program and what it needs to run, nothing else.
    collect.py PROGRAM FOLDER
Runs in the build stage of the Dockerfile, on Debian. The folder gets the program (stripped), the libraries that ldd names, the CA
certificates, the time zones, a user, dpkg's records of the packages that the files came from (/var/lib/dpkg/status.d, where scanners
look) and a bill of materials (/usr/share/doc/trackops/sbom.cdx.json, CycloneDX 1.6)."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import uuid

USER = 65532
# Their headers or static parts are compiled into the programs.
COMPILED_IN = ["g++", "libboost1.83-dev", "libboost-url1.83-dev", "libfmt-dev", "libsimdjson-dev", "libspdlog-dev", "prometheus-cpp-dev"]
DATA = ["/etc/ssl/certs/ca-certificates.crt", "/usr/share/zoneinfo", "/etc/os-release"]
PASSWD = f"root:x:0:0:root:/root:/sbin/nologin\ntrackops:x:{USER}:{USER}:trackops:/data:/sbin/nologin\n"
GROUP = f"root:x:0:\ntrackops:x:{USER}:\n"


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def libraries_of(program):
    """The files that the loader opens for the program, the loader itself included."""
    text = run("ldd", program)
    if "not found" in text:
        raise SystemExit(f"collect.py: {program} misses a library:\n{text}")
    return re.findall(r"(?:=> |^\s+)(/\S+) \(0x", text, re.MULTILINE)


def package_of(path):
    """The name of the package that owns a file. Some packages still name it without /usr."""
    real = os.path.realpath(path)
    for name in (path, real, real.removeprefix("/usr"), "/usr" + real):
        found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True, check=False)
        owners = [line.split(":")[0].split(",")[0] for line in found.stdout.splitlines() if not line.startswith("diversion ")]
        if owners:
            return owners[0]
    raise SystemExit(f"collect.py: no package owns {path}")


def copy(path, root, target=None):
    """Copies the file that stands at `path`, whatever it links to, to `target` in the root; a folder with its links."""
    to = root / (target or path).lstrip("/")
    to.parent.mkdir(parents=True, exist_ok=True)
    if os.path.isdir(path):
        shutil.copytree(path, to, symlinks=True)
    else:
        shutil.copy(os.path.realpath(path), to)
    return to


def record(package, root, md5sums):
    """dpkg's own record of a package, and its copyright file if the base image has it. Returns (name, version, architecture)."""
    status = run("dpkg-query", "-s", package)
    folder = root / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / package).write_text(status)
    (folder / f"{package}.md5sums").write_text("".join(f"{digest}  {name}\n" for digest, name in sorted(md5sums)))
    copyright_file = f"/usr/share/doc/{package}/copyright"
    if os.path.exists(copyright_file):
        copy(copyright_file, root)
    return tuple(re.search(rf"^{field}: (.*)$", status, re.MULTILINE)[1] for field in ("Package", "Version", "Architecture"))


def deb(name, version, architecture, use):
    encoded = version.replace("+", "%2B").replace(":", "%3A")
    release = re.search(r'^VERSION_ID="?(\w+)', pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)
    distribution = f"debian-{release[1]}" if release else "debian"
    url = f"pkg:deb/debian/{name}@{encoded}?arch={architecture}&distro={distribution}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url,
            "properties": [{"name": "trackops:use", "value": use}]}


def bill_of_materials(program, version, components):
    digest = hashlib.sha256(program.read_bytes()).hexdigest()
    main = {"type": "application", "bom-ref": program.name, "name": program.name, "version": version,
            "hashes": [{"alg": "SHA-256", "content": digest}], "licenses": [{"license": {"id": "Apache-2.0"}}]}
    return {"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
            "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}", "version": 1,
            "metadata": {"component": main}, "components": components,
            "dependencies": [{"ref": program.name, "dependsOn": [component["bom-ref"] for component in components]}]}


def main():
    program, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    shutil.rmtree(root, ignore_errors=True)
    installed = root / "usr/bin" / program.name
    installed.parent.mkdir(parents=True)
    subprocess.run(["strip", "-o", installed, program], check=True)

    md5sums = {}  # package -> {(digest, path)}
    for path in libraries_of(program):
        # The loader searches /usr/lib/TRIPLET, also without a cache; itself it has to stand where the program says.
        target = path if "ld-linux" in path else "/usr" + path.removeprefix("/usr")
        digest = hashlib.md5(copy(path, root, target).read_bytes(), usedforsecurity=False).hexdigest()
        md5sums.setdefault(package_of(path), set()).add((digest, target.lstrip("/")))
    for path in DATA:
        copy(path, root)
    for package in ("ca-certificates", "tzdata", "base-files"):
        md5sums.setdefault(package, set())
    for name, content in (("passwd", PASSWD), ("group", GROUP), ("nsswitch.conf", "hosts: files dns\n")):
        (root / "etc" / name).write_text(content)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    documents = root / "usr/share/doc/trackops"
    documents.mkdir(parents=True)
    shutil.copy("LICENSE", documents)

    components = [deb(*record(package, root, files), "loaded") for package, files in sorted(md5sums.items())]
    for package in COMPILED_IN:
        found = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}", package], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            components.append(deb(*found.stdout.split(), "compiled in"))
    version = run(str(installed), "--version").strip()
    bill = bill_of_materials(installed, version, components)
    (documents / "sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n")


main()
