"""A browser is no key: pages of other origins, in a real Chromium, try to pause the relay and to read what is there."""
import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest

from harness import Client
from programs import make_program

CHROMIUM = "chromium"
BROWSER_TIMEOUT = 120  # seconds; far above what it takes, so that only a fault meets it
REBOUND = "rebound.example"  # a name of the attacker that leads to this machine

# Tries each way in which a page can send a POST to another origin, and then tells its own server how each ended.
ATTACK = """<!doctype html><title>attack</title><body><script>
const target = new URL(location).searchParams.get("target");
const post = options => fetch(target, {method: "POST", ...options}).then(answer => answer.type, () => "failed");
const form = (type, parent) => new Promise(resolve => {
    const frame = document.createElement("iframe");
    frame.name = "frame" + type;
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: target, enctype: type, target: frame.name});
    form.innerHTML = '<input name=\\'{"a":"\\' value=\\'"}\\'>';
    document.body.append(form);
    frame.onload = () => resolve("loaded");
    form.submit();
});
const sandboxed = () => new Promise(resolve => {
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script>fetch("${target}", {method: "POST", mode: "no-cors"})
        .then(answer => answer.type, () => "failed").then(end => parent.postMessage(end, "*"))</` + "script>";
    onmessage = event => resolve(event.data);
    document.body.append(frame);
});
(async () => {
    const ends = {
        "no-cors": await post({mode: "no-cors"}),
        "no-cors with credentials": await post({mode: "no-cors", credentials: "include"}),
        "no-cors with a body": await post({mode: "no-cors", body: "{}"}),
        "cors": await post({}),
        "JSON": await post({headers: {"Content-Type": "application/json"}, body: "{}"}),
        "form": await form("application/x-www-form-urlencoded"),
        "text form": await form("text/plain"),
        "null origin": await sandboxed(),
        "beacon": navigator.sendBeacon(target, "{}") ? "queued" : "failed",
    };
    await post({mode: "no-cors"});  // behind the beacon
    await fetch("/ends", {method: "POST", body: JSON.stringify(ends)});
})();
</script>"""
SIMPLE = ("no-cors", "no-cors with credentials", "no-cors with a body", "form", "text form", "null origin")


class Attacker(http.server.ThreadingHTTPServer):
    """Serves the page, and takes its report."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Page)
        self.port = self.server_address[1]
        self.ends = None
        self.has_ended = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(ATTACK.encode())

    def do_POST(self):
        self.server.ends = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"")
        self.server.has_ended.set()

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """chromium(*arguments): a headless browser with a new profile."""
    assert shutil.which(CHROMIUM), "chromium is not installed: ./dev test installs it"

    def start(*arguments):
        profile = tmp_path_factory.mktemp("profile")
        environment = os.environ | {"HOME": str(profile), "XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)}
        return subprocess.Popen([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                                 "--disable-background-networking", f"--user-data-dir={profile}",
                                 f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1", *arguments],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
    return start


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    """A client of the relay of a started program."""
    program, undo = make_program("sqlite", tmp_path_factory.mktemp("browser"))
    try:
        yield Client(program.start().ports["relay"])
    finally:
        program.end()
        undo()


@pytest.fixture
def attacker():
    server = Attacker()
    yield server
    server.shutdown()


def is_paused(relay):
    return relay.get("/api/relay/status").expect(200)["paused"]


def refusals(relay):
    """How many requests were answered 403."""
    lines = relay.get("/actuator/prometheus").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("http_server_requests_seconds_count") and 'status="403"' in line)


def test_a_client_that_is_no_browser_pauses_the_relay(relay):
    relay.post("/api/relay/pause").expect(200)
    assert is_paused(relay)
    relay.post("/api/relay/resume").expect(200)
    assert not is_paused(relay)


@pytest.mark.parametrize("page_host,host", [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1"), ("localhost", "localhost"),
                                            (REBOUND, "localhost")],
                         ids=["another site", "a name of the same machine", "another port of the same site", "a name of the attacker"])
def test_a_page_of_another_origin_does_not_pause_the_relay(relay, chromium, attacker, page_host, host):
    before = refusals(relay)
    browser = chromium(f"http://{page_host}:{attacker.port}/?target=http://{host}:{relay.port}/api/relay/pause")
    try:
        assert attacker.has_ended.wait(BROWSER_TIMEOUT), "the page did not report"
    finally:
        browser.kill()
        browser.communicate()
    assert not is_paused(relay), attacker.ends
    assert attacker.ends["cors"] == attacker.ends["JSON"] == "failed", attacker.ends
    # The service refused each of them: the browser did not keep them back.
    assert refusals(relay) - before >= len(SIMPLE), attacker.ends


def test_a_name_of_the_attacker_reads_nothing(relay, chromium):
    """After DNS rebinding a page of the attacker has the origin of the service, so it may read all that the service answers."""
    browser = chromium("--dump-dom", f"http://{REBOUND}:{relay.port}/api/relay/status")
    page, _ = browser.communicate(timeout=BROWSER_TIMEOUT)
    assert "misdirected-request" in page, page
    assert "paused" not in page, page


def test_the_browser_reads_by_an_allowed_name(relay, chromium):
    """So the test above fails for its name, and not for anything else."""
    browser = chromium("--dump-dom", f"http://localhost:{relay.port}/api/relay/status")
    page, _ = browser.communicate(timeout=BROWSER_TIMEOUT)
    assert "paused" in page, page
