"""The parts that the tables of refused requests are made of."""
import json
import typing

JSON = {"Content-Type": "application/json"}
NO_ID = "0190aaaa-0000-7000-8000-000000000000"  # names nothing
CUSTOMER = "5b1d7f36-93a8-4c9e-8a31-0c2f7f0b9a11"  # has no orders that were taken
ADDRESS = {"line1": "1 High Street", "city": "London", "postalCode": "N1 1AA", "country": "GB"}
TRUNCATED, NOT_UTF8, TWO_VALUES = b'{"a": ', b'{"a": "\xff\xfe"}', b"{} {}"


class Case(typing.NamedTuple):
    name: str
    method: str
    path: str  # {name} stands for the id of a prepared order
    status: int
    code: str
    body: object = None  # bytes go as they are, text as its bytes, anything else as JSON
    headers: dict = {}
    allow: tuple = ()  # of a 405: methods that Allow must name; it may name more
    # True: `detail` is not compared, because the contract promises another text than today's. Codes and pointers are compared.
    has_free_wording: bool = False


def order_body(**changes):
    """A small order that would be accepted; None leaves a member out."""
    body = {"customerId": CUSTOMER, "currency": "GBP", "items": [{"sku": "C-1", "quantity": 2, "unitAmount": 250}], "shippingAddress": ADDRESS}
    return {name: value for name, value in (body | changes).items() if value is not None}


def line(**changes):
    """An order whose only line is changed."""
    one = {"sku": "C-1", "quantity": 2, "unitAmount": 250} | changes
    return order_body(items=[{name: value for name, value in one.items() if value is not None}])


def refused_everywhere(method, path, good):
    """Rows that every call with a JSON object shares. good: a body that the call accepts."""
    where = f"{method} {path}"
    rows = [
        Case(f"{where}: JSON that is cut", method, path, 400, "malformed-request", TRUNCATED, has_free_wording=True),
        Case(f"{where}: not UTF-8", method, path, 400, "malformed-request", NOT_UTF8, has_free_wording=True),
        Case(f"{where}: two values", method, path, 400, "malformed-request", TWO_VALUES, has_free_wording=True),
        Case(f"{where}: a name twice", method, path, 400, "malformed-request", b'{"a": 1, "a": 2}', has_free_wording=True),
        Case(f"{where}: an array", method, path, 422, "invalid-request", [good]),
        Case(f"{where}: a field that is not known", method, path, 422, "invalid-request", good | {"a/b~c": 1}, has_free_wording=True),
        Case(f"{where}: plain text", method, path, 415, "unsupported-media-type", json.dumps(good), {"Content-Type": "text/plain"}),
        Case(f"{where}: a form", method, path, 415, "unsupported-media-type", "a=1", {"Content-Type": "application/x-www-form-urlencoded"}),
        Case(f"{where}: another charset", method, path, 415, "unsupported-media-type", json.dumps(good),
             {"Content-Type": "application/json; charset=iso-8859-1"}),
        Case(f"{where}: compressed", method, path, 415, "unsupported-media-type", json.dumps(good), JSON | {"Content-Encoding": "gzip"}),
    ]
    return rows + bad_keys(method, path, good)


def bad_keys(method, path, good):
    where = f"{method} {path}"
    return [Case(f"{where}: {name}", method, path, 422, "invalid-request", good, {"Idempotency-Key": key}) for name, key in (
        ("an empty key", '""'), ("a key that is not closed", '"abc'), ("an overlong key", "k" * 256), ("a key with a blank", "a b"))]


def unknown_query(method, path):
    return Case(f"{method} {path}: a name that is not known", method, path + "?colour=red", 422, "invalid-request", has_free_wording=True)


def limits(path):
    """The answers of every list to a bad page size."""
    return [Case(f"GET {path}: limit={value}", "GET", f"{path}?limit={value}", 422, "invalid-request") for value in ("0", "501", "-1", "ten", "1.5")]


def no_such_method(path, method, *allow):
    return Case(f"{method} {path}", method, path, 405, "method-not-allowed", allow=allow, has_free_wording=True)
