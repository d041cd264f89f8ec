"""The keys of an identity provider by URL: a roll-over, and a provider that is away, slow, wrong, or somebody else."""
import contextlib
import http.server
import json
import ssl
import threading
import time

import pytest

from access_file import AccessFile, bearer
from certificates import Authority
from harness import wait_until
from identity_provider import ISSUER, Provider
from programs import make_program

ASK_INTERVAL = 10  # seconds between two fetches for unknown keys
FETCH_TIME = 5  # seconds


class KeyServer:
    """Answers GET /keys with what the test sets, on one port that it can leave and take again."""

    def __init__(self, context=None):
        self.context, self.port, self.server = context, 0, None
        self.asked, self.status, self.headers, self.body, self.released = 0, 200, {}, b"", threading.Event()
        self.released.set()
        self.up()

    def offer(self, *providers):
        self.status, self.headers = 200, {}
        self.body = json.dumps({"keys": [key for provider in providers for key in provider.key_set()["keys"]]}).encode()

    def up(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                outer.released.wait(60)
                with contextlib.suppress(OSError):
                    self.send_response(outer.status if self.path == "/keys" else 404)
                    for name, value in ({"Content-Length": str(len(outer.body))} | outer.headers).items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(outer.body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        if self.context:
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def down(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def keys():
    server = KeyServer()
    yield server
    server.released.set()
    server.down()


@pytest.fixture
def start(tmp_path):
    """start(url, **more): a program that takes the keys of the URL, with a key `clerk` of its own."""
    made = []

    def start(url, **more):
        file = AccessFile(tmp_path / "access.json")
        clerk = bearer(file.add_key("clerk", "--role", "admin"))
        content = json.loads(file.path.read_text())
        content["providers"] = [{"name": "shop", "issuer": ISSUER, "audience": "trackops", "keySetUrl": url, "scopes": ["orders:read"]} | more]
        file.path.write_text(json.dumps(content))
        program, undo = make_program("sqlite", tmp_path)
        made.append((program, undo))
        return program.start("--access-file", str(file.path)), clerk
    yield start
    for program, undo in made:
        program.end()
        undo()


def status(program, token):
    return program.client().get("/api/orders", bearer(token)).status


def health(program, clerk):
    return program.client().get("/actuator/health/tokenKeys", clerk).json()


def test_a_roll_over(keys, start):
    old, new = Provider("1"), Provider("2")
    keys.offer(old)
    program, clerk = start(f"http://127.0.0.1:{keys.port}/keys")
    wait_until(lambda: status(program, old.token()) == 200, 20, "the keys of the start")
    assert health(program, clerk)["details"]["shop"] == "2 keys"
    keys.offer(old, new)
    began = time.monotonic()
    wait_until(lambda: status(program, new.token()) == 200, 20, "the new key, for a token that names it")
    assert status(program, old.token()) == 200 and keys.asked == 2
    assert status(program, new.token(exp=int(time.time()) - 31)) == status(program, new.token(aud="billing")) == 401
    stranger = Provider("3")
    for _ in range(50):
        assert status(program, stranger.token()) == 401
    assert keys.asked <= 2 + (time.monotonic() - began) / ASK_INTERVAL, "strangers have it fetched seldom"
    metrics = program.client().get("/actuator/prometheus", clerk).body.decode()
    assert f'trackops_token_key_fetches_total{{outcome="fetched"}} {keys.asked}' in metrics and "trackops_token_keys 4" in metrics


def test_a_token_waits_for_its_key_and_nobody_waits_with_it(keys, start):
    old, new = Provider("1"), Provider("2")
    keys.offer(old)
    program, clerk = start(f"http://127.0.0.1:{keys.port}/keys")
    wait_until(lambda: status(program, old.token()) == 200, 20, "the keys of the start")
    keys.offer(old, new)
    keys.released.clear()
    answers = []

    def ask():
        """Refused until ASK_INTERVAL after the fetch at the start."""
        answer = 401
        while answer == 401:
            answer = status(program, new.token())
        answers.append(answer)
    waiting = [threading.Thread(target=ask) for _ in range(4)]
    for one in waiting:
        one.start()
    wait_until(lambda: keys.asked == 2, 20, "the fetch")
    for _ in range(20):
        began = time.monotonic()
        assert program.client().get("/api/orders", clerk).status == status(program, old.token()) == 200
        assert time.monotonic() - began < 2, "the I/O thread does not fetch"
    assert answers == []
    keys.released.set()
    for one in waiting:
        one.join(30)
    assert answers == [200] * 4 and keys.asked == 2, "one fetch for all"


def test_a_provider_that_is_away(keys, start):
    provider = Provider()
    keys.down()
    program, clerk = start(f"http://127.0.0.1:{keys.port}/keys")
    assert status(program, provider.token()) == 503
    assert program.client().get("/actuator/health/readiness").status == 200, "keys and operators go on"
    assert health(program, clerk)["status"] == "DOWN" and "refused" in health(program, clerk)["details"]["shop.fault"]
    keys.offer(provider)
    keys.up()
    wait_until(lambda: status(program, provider.token()) == 200, 30, "the keys, when the provider is there")
    keys.down()
    assert status(program, provider.token(sub="another")) == 200, "the keys stay"
    keys.up()


WRONG = {
    "not found": (404, {}, b"{}"), "elsewhere": (302, {"Location": "/other"}, b""), "no keys": (200, {}, b'{"keys": []}'), "no JSON": (200, {}, b"<html>"),
    "too long": (200, {}, b" " * 70_000), "cut": (200, {"Content-Length": "100000"}, b"{"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_an_answer_that_is_no_key_set(keys, start, kind):
    keys.status, keys.headers, keys.body = WRONG[kind]
    program, clerk = start(f"http://127.0.0.1:{keys.port}/keys")
    wait_until(lambda: keys.asked > 0, 20, "the fetch")
    wait_until(lambda: health(program, clerk)["details"].get("shop.fault"), 20, "the fault")
    assert status(program, Provider().token()) == 503
    assert "a key set cannot be fetched" in (program.folder / f"log.{program.starts}").read_text()


def test_a_provider_that_never_answers(keys, start):
    keys.released.clear()
    program, clerk = start(f"http://127.0.0.1:{keys.port}/keys")
    began = time.monotonic()
    assert status(program, Provider().token()) == 503
    assert time.monotonic() - began < FETCH_TIME + 3
    wait_until(lambda: health(program, clerk)["details"].get("shop.fault") == "no answer in time", 20, "the fault")


def test_over_tls_from_the_right_provider_alone(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder), Authority(folder, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("id", "localhost"))
    keys, provider = KeyServer(context), Provider()
    try:
        keys.offer(provider)
        program, _ = start(f"https://localhost:{keys.port}/keys", keySetCaFile=str(authority.certificate))
        wait_until(lambda: status(program, provider.token()) == 200, 20, "the keys")
        program.end()
        asked = keys.asked
        program.start("--access-file", str(change(program.folder / "access.json", keySetCaFile=str(other.certificate))))
        assert status(program, provider.token()) == 503 and keys.asked == asked
        program.end()
        program.start("--access-file", str(change(program.folder / "access.json", keySetCaFile=str(authority.certificate), keySetUrl=f"https://127.0.0.1:{keys.port}/keys")))
        assert status(program, provider.token()) == 503 and keys.asked == asked, "its certificate is for another name"
    finally:
        keys.down()


def change(path, **members):
    content = json.loads(path.read_text())
    content["providers"][0] |= members
    path.write_text(json.dumps(content))
    return path


def test_a_url_that_anybody_on_the_way_could_answer_is_refused(start):
    with pytest.raises(AssertionError, match="must be a URL with https"):
        start("http://id.example/keys")
