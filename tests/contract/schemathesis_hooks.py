"""What Schemathesis has to know of our formats: codes that there are, from the same lists as the program."""
import pathlib
import re

import schemathesis
from hypothesis import strategies

MONEY = (pathlib.Path(__file__).resolve().parents[2] / "src/base/money.cpp").read_text()


def codes(name, width):
    """The codes of a list in money.cpp, which stand there without a gap."""
    text = "".join(re.findall(r'"([A-Z]+)"', re.search(rf"{name} =(.*?);", MONEY, re.DOTALL)[1]))
    return [text[at:at + width] for at in range(0, len(text), width)]


schemathesis.openapi.format("iso-4217", strategies.sampled_from(codes("currencies", 3)))
schemathesis.openapi.format("iso-3166-alpha-2", strategies.sampled_from(codes("countries", 2)))
