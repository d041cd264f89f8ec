#!/usr/bin/env python3
"""The architecture as a test: who may include whom, what files may be called, how long they may be. Exits 1 naming every fault."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLATFORM = {  # which other platform parts a part may include
    "json": "", "url": "", "config": "json url", "telemetry": "json", "runtime": "telemetry", "tls": "runtime telemetry", "http": "json runtime telemetry tls", "sql": "telemetry",
    "http_client": "http tls url", "otlp": "http http_client json runtime telemetry url", "access": "http http_client json runtime telemetry tls",
    "sqlite": "sql telemetry", "postgres": "sql telemetry url", "bus": "runtime telemetry", "kafka": "bus telemetry url",
    "embedded_log": "bus sql sqlite telemetry", "cache": "telemetry", "redis": "access cache telemetry url",
    "backends": "sql sqlite postgres bus kafka embedded_log access cache redis telemetry url", "idempotency": "sql",
    "outbox": "sql runtime telemetry idempotency", "relay": "audit_log outbox sql postgres bus runtime telemetry json http",
    "audit": "sql runtime telemetry", "audit_log": "access audit http json runtime sql telemetry", "service": "http runtime telemetry"}
DRIVERS = {"sqlite", "postgres", "kafka", "embedded_log", "redis"}  # only `backends` may include them, except where PLATFORM says otherwise
SERVICES = ("order", "inventory")
CATCHES_ALL = {  # and rethrow it, except the two drivers of pumps and the code that names a failure
    "src/platform/runtime/combiner.hpp", "src/platform/runtime/failure.cpp", "src/platform/runtime/pump_threads.cpp", "src/sim/replica.cpp",
    "src/platform/sqlite/sqlite.cpp", "src/platform/sqlite/connection.cpp", "src/platform/sqlite/pool.cpp",
    "src/platform/postgres/connection.cpp", "src/platform/postgres/pool.cpp", "src/platform/relay/wal/source.cpp"}
VAGUE = re.compile(r"(^|_)(util|utils|helper|helpers|common|misc|manager|managers|impl|stuff)(_|\.|$)")
PRIVATE_HEADERS = {"src/platform/http/connection.hpp"}  # included by the server alone
TRY_IN_A_LIST = re.compile(r",\s*(?:\.\w+ = )?(?:\w+[({])*TRY\(")
THIRD_PARTY = re.compile(r"<(boost|simdjson|sqlite3|libpq|prometheus|spdlog|openssl|sodium|cjose|hiredis|librdkafka|CLI)[/.\-]")


def ring_of(path):
    """The folder a file stands in, as the tables name it: 'base', 'platform/sql', 'order/app', 'order' (its module), ..."""
    parts = path.split("/")
    if parts[0] == "platform" or (parts[0] in SERVICES and len(parts) > 2):
        return "/".join(parts[:2])
    return parts[0]


def allowed(ring):
    """The folders that a folder may include beside itself."""
    top, _, inner = ring.partition("/")
    if ring == "base":
        return set()
    if top == "platform":
        return {"base"} | {f"platform/{part}" for part in PLATFORM[inner].split()}
    platform = {f"platform/{part}" for part in PLATFORM.keys() - DRIVERS}
    if ring == "events":
        return {"base", "platform/json"}
    if top in SERVICES:
        rings = {"domain": {"base"}, "app": {"base", f"{top}/domain"},
                 "adapters": {"base", "events", f"{top}/domain", f"{top}/app"} | platform,
                 "": {"base", "events", top, f"{top}/domain", f"{top}/app", f"{top}/adapters"} | platform}
        return rings[inner]
    if ring in ("event_relay", "load"):
        return {"base"} | platform
    if ring == "sim":  # the whole system, and the world around it
        return {"base", "order/domain", "event_relay", "platform/sqlite"} | set(SERVICES) | platform
    if ring == "verify":
        return {"base"} | set(SERVICES) | platform
    if ring == "testing":
        return {"base", "platform/sql", "platform/telemetry"}
    return {"base", "order", "inventory", "event_relay", "load", "sim", "verify", "apps"} | platform  # apps


def faults_of(file):
    text = (ROOT / file).read_text()
    lines = text.splitlines()
    if len(lines) > 500:
        yield f"{len(lines)} lines; 500 are the most"
    if VAGUE.search(pathlib.Path(file).name):
        yield "a vague name: say what the thing is"
    if file.endswith(".hpp") and not text.split("#pragma once")[0].strip() and not file.endswith(("version.hpp",)) and "/app/" not in file and not file.startswith("apps/"):
        yield "a header's first line says what the file is for"
    if re.search(r"catch \((\.\.\.|const (sim::)?Crash&)\)", text) and file not in CATCHES_ALL and not file.endswith("_test.cpp"):
        yield "catches what is no std::exception: a simulated crash must reach the simulator"
    for found in TRY_IN_A_LIST.finditer(text):
        yield f"line {text.count(chr(10), 0, found.end()) + 1}: TRY after a comma leaks what was made before it (g++ 12): give it a variable"
    path = file.removeprefix("src/")
    ring = ring_of(path)
    is_test = file.endswith(("_test.cpp", "_test.hpp", "_for_tests.hpp", "_fixture.hpp")) or ring == "testing"
    for number, line in enumerate(lines, 1):
        include = re.match(r'#include "([^"]+)"', line)
        if include:
            target = ring_of(include[1])
            generated = include[1].endswith("/migrations.hpp") or include[1].startswith("contracts/")
            if target != ring and not generated and not is_test and target not in allowed(ring):
                yield f"line {number}: {ring} may not include {include[1]}"
            if not is_test and target == "testing":
                yield f"line {number}: only tests include testing"
        elif file.endswith(".hpp") and THIRD_PARTY.search(line) and line.startswith("#include") and file not in PRIVATE_HEADERS:
            yield f"line {number}: a third-party header in a header"


def main():
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "src", "apps"], cwd=ROOT, capture_output=True, text=True, check=True)
    sources = [f for f in files.stdout.split() if f.endswith((".cpp", ".hpp")) and (ROOT / f).exists()]
    faults = [f"{file}: {fault}" for file in sources for fault in faults_of(file)]
    print("\n".join(faults) or f"tidy: {len(sources)} files, every arrow as it should be")
    return 1 if faults or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
