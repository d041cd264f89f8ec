"""A real identity provider (npm oidc-provider) in front of the three services: tokens of programs and of a customer, and a roll-over of its keys.

    check.py FOLDER      FOLDER/node_modules has oidc-provider
"""
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "e2e")]

from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: E402

from access_file import AccessFile, bearer  # noqa: E402
from harness import order_body, wait_until  # noqa: E402
from identity_provider import b64  # noqa: E402
from programs import make_program  # noqa: E402


def rsa_key(kid):
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    of = {"d": numbers.d, "p": numbers.p, "q": numbers.q, "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
          "n": numbers.public_numbers.n, "e": numbers.public_numbers.e}
    return {"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256"} | {name: b64(value) for name, value in of.items()}


def ec_key(kid):
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    of = {"d": numbers.private_value, "x": numbers.public_numbers.x, "y": numbers.public_numbers.y}
    return {"kty": "EC", "crv": "P-256", "kid": kid, "use": "sig", "alg": "ES256"} | {name: b64(value.to_bytes(32, "big")) for name, value in of.items()}


class OidcProvider:
    def __init__(self, tools, folder):
        shutil.copy(HERE / "provider.mjs", tools / "provider.mjs")  # beside its node_modules
        self.script, self.keys, self.port, self.process = tools / "provider.mjs", folder / "jwks.json", 0, None

    def start(self, *keys):
        self.keys.write_text(json.dumps({"keys": keys}))
        self.process = subprocess.Popen(["node", self.script, str(self.port), self.keys], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.kill()
        self.process.wait()

    @property
    def issuer(self):
        return f"http://127.0.0.1:{self.port}"

    def key_set_url(self):
        """As its discovery document says."""
        with urllib.request.urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=20) as answer:
            return json.load(answer)["jwks_uri"]

    def token(self, client, **more):
        form = urllib.parse.urlencode({"grant_type": "client_credentials"} | more).encode()
        basic = base64.b64encode(f"{client}:{client}-secret-of-the-test".encode()).decode()
        request = urllib.request.Request(f"{self.issuer}/token", form, {"Authorization": f"Basic {basic}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["access_token"]


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def check(program, provider, first, second):
    client = program.client()

    def status(token):
        return client.get("/api/orders", bearer(token)).status
    shop = provider.token("shop", scope="orders:read orders:write")
    assert header_of(shop)["alg"] == "RS256" and header_of(shop)["kid"] == first["kid"], header_of(shop)
    placed = client.post("/api/orders", order_body(("T-any", 1)) | {"customerId": "eve"}, bearer(shop)).expect(201)
    assert "token:idp/shop" in client.get(f"/api/orders/{placed['id']}/timeline", bearer(shop)).body.decode()
    reader = provider.token("reader", scope="orders:read")
    assert status(reader) == 200
    client.post("/api/orders", order_body(("T-any", 1)), bearer(reader)).problem(403, "forbidden")
    assert program.client("relay").get("/api/relay/status", bearer(shop)).status == 403
    client.get("/api/orders", bearer(provider.token("shop", scope="orders:read", resource="urn:billing"))).problem(401, "unauthorized")
    print("programs: in with their scopes, and out with a token for another audience")

    ada = bearer(provider.token("ada", scope="orders:own"))
    own = client.post("/api/orders", order_body(("T-any", 1)) | {"customerId": "ada"}, ada).expect(201)["id"]
    assert [order["id"] for order in client.get("/api/orders", ada).expect(200)["items"]] == [own]
    client.get(f"/api/orders/{placed['id']}", ada).problem(404, "not-found")
    print("a customer: its own order, and no other")

    provider.stop()
    assert status(shop) == status(reader) == 200, "the keys stay while the provider is away"
    provider.start(second, first)
    fresh = provider.token("reader", scope="orders:read")
    if header_of(fresh)["kid"] != second["kid"]:
        raise AssertionError(f"the provider goes on with its old key: {header_of(fresh)}")
    wait_until(lambda: status(fresh) == 200, 20, "the new key")
    assert status(shop) == 200, "the old key is still in the set"
    print("a roll-over: the new key by its first tokens, the old one beside it")


def main():
    tools = pathlib.Path(sys.argv[1]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp())
    provider = OidcProvider(tools, folder)
    first, second = rsa_key("first"), rsa_key("second")
    provider.start(first, ec_key("another"))
    program, undo = make_program("sqlite", folder)
    try:
        file = AccessFile(folder / "access.json")
        file.add_key("clerk", "--role", "clerk")
        content = json.loads(file.path.read_text())
        content["providers"] = [{"name": "idp", "issuer": provider.issuer, "audience": "trackops", "keySetUrl": provider.key_set_url(),
                                 "scopes": ["orders:read", "orders:write", "orders:own"]}]
        file.path.write_text(json.dumps(content))
        program.start("--access-file", str(file.path))
        check(program, provider, first, second)
    finally:
        provider.stop()
        program.end()
        undo()
        shutil.rmtree(folder)


main()
