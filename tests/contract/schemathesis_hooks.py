"""What Schemathesis has to know of our formats, and cannot take from the contract."""
import json
import pathlib
import re
import uuid

import schemathesis
from hypothesis import strategies

BASE = pathlib.Path(__file__).resolve().parents[2] / "src/base"
VALID_KEY = re.compile(r'[!#-~][!-~]{0,254}|"[!#-\[\]-~]{1,253}"')


def codes(file, name, width):
    """The codes of a list in a file of src/base, which stand there without a gap."""
    text = "".join(re.findall(r'"([A-Z]+)"', re.search(rf"\b{name} =(.*?);", (BASE / file).read_text(), re.DOTALL)[1]))
    return [text[at:at + width] for at in range(0, len(text), width)]


schemathesis.openapi.format("iso-4217", strategies.sampled_from(codes("money.cpp", "currencies", 3)))
schemathesis.openapi.format("iso-3166-alpha-2", strategies.sampled_from(codes("country.cpp", "countries", 2)))


@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    return (value if isinstance(value, str) else json.dumps(value)).encode()


@schemathesis.hook
def before_call(ctx, case, kwargs):
    headers = case.headers or {}
    if VALID_KEY.fullmatch(headers.get("Idempotency-Key", "")):  # a key that was used for another body would be refused
        headers["Idempotency-Key"] = uuid.uuid4().hex
    if headers.get("If-None-Match") == "0":  # which Schemathesis takes for a text of the header's pattern
        del headers["If-None-Match"]
