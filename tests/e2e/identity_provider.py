"""An identity provider that a test makes itself: its keys, and tokens that are as good or as bad as a test wants them."""
import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from access_file import bearer

ISSUER = "https://id.example/realms/shop"


def b64(data):
    if isinstance(data, int):
        data = data.to_bytes((data.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    def __init__(self, name="1"):
        """`name` ends the names of its keys, r1 and e1."""
        self.name = name
        self.rsa, self.ec = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())

    def key_set(self):
        numbers, point = self.rsa.public_key().public_numbers(), self.ec.public_key().public_numbers()
        return {"keys": [{"kty": "RSA", "kid": f"r{self.name}", "use": "sig", "alg": "RS256", "n": b64(numbers.n), "e": b64(numbers.e)},
                         {"kty": "EC", "kid": f"e{self.name}", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big"))}]}

    def token(self, algorithm="RS256", kid=None, sign_as=None, **claims):
        header = {"alg": algorithm, "kid": kid or {"ES256": "e"}.get(algorithm, "r") + self.name, "typ": "JWT"}
        now = int(time.time())
        body = {"iss": ISSUER, "aud": "trackops", "sub": "u-17", "iat": now, "exp": now + 300, "scope": "orders:read"} | claims
        text = ".".join(b64(json.dumps(part).encode()) for part in (header, {name: value for name, value in body.items() if value is not None}))
        return f"{text}.{b64(self.signature(sign_as or algorithm, text.encode()))}"

    def signature(self, algorithm, text):
        if algorithm == "RS256":
            return self.rsa.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.ec.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if algorithm == "HS256":  # with the public key as the secret
            pem = self.rsa.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            return hmac.new(pem, text, hashlib.sha256).digest()
        return b""

    def customer(self, customer):
        return bearer(self.token(scope="openid orders:own", customer_id=customer))
