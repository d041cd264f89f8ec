"""Holds answers of a service, and messages on its topics, against contracts/."""
import copy
import json
import pathlib
import re
import sys

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "contracts"))

import bundle  # noqa: E402
from harness import Client  # noqa: E402

FILES = {"order": "order-service", "inventory": "inventory-service", "relay": "event-relay-service"}
FRAMING = {"date", "transfer-encoding", "content-type", "content-length", "cache-control", "connection", "content-security-policy", "x-content-type-options",
           "referrer-policy", "strict-transport-security"}


def closed(value):
    """The schema, in which an object has no members but those that it names. Clients must not rely on that; our own answers must keep to it."""
    if isinstance(value, list):
        return [closed(element) for element in value]
    if not isinstance(value, dict):
        return value
    schema = {name: closed(member) for name, member in value.items()}
    if "properties" in schema and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


class Document:
    """A document with components, and the faults of values by its schemas."""

    def __init__(self, document):
        self.whole = document
        self.resolver = jsonschema.RefResolver("", {"components": closed(copy.deepcopy(document["components"]))})
        self.validators = {}

    def seen(self, value):
        while isinstance(value, dict) and set(value) == {"$ref"}:
            _, _, kind, name = value["$ref"].split("/")
            value = self.whole["components"][kind][name]
        return value

    def faults(self, schema, value):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(closed(schema), resolver=self.resolver)
        return [f"/{'/'.join(map(str, fault.absolute_path))}: {fault.message[:300]}" for fault in self.validators[key].iter_errors(value)]


class Contract(Document):
    """The OpenAPI document of a service: order, inventory or relay."""

    def __init__(self, service):
        super().__init__(bundle.bundled(FILES[service]))
        self.operations = [(method, path, item, operation) for method, path, item, operation in bundle.operations(self.whole)]

    def operation(self, method, target):
        """The operation that serves a request, or None. A literal segment wins over one in braces."""
        segments = target.split("?")[0].split("/")[1:]
        best = None
        for one, path, _, operation in self.operations:
            pattern = path.split("/")[1:]
            if one != ("GET" if method == "HEAD" else method) or len(pattern) != len(segments):
                continue
            if all(own == given or (own.startswith("{") and given) for own, given in zip(pattern, segments)):
                braces = path.count("{")
                if best is None or braces < best[0]:
                    best = (braces, operation)
        return best and best[1]

    def parameters(self, item, operation):
        """Each parameter of the operation, those of its path included."""
        return [self.seen(parameter) for parameter in item.get("parameters", []) + operation["parameters"]]

    def faults_of(self, method, target, answer):
        """A text for each difference between an answer and the contract."""
        operation = self.operation(method, target)
        is_unserved = answer.status == 405 or (answer.status == 404 and b"no such path" in answer.body)
        responses = self.whole["x-no-operation"] if operation is None or is_unserved else operation["responses"]
        if str(answer.status) not in responses and operation is None:
            responses = next(iter(self.operations))[3]["responses"]  # those of every operation, such as 400
        response = responses.get(str(answer.status))
        if response is None:
            return [f"{method} {target}: the contract has no answer {answer.status}"]
        return [f"{method} {target}: {answer.status}: {fault}" for fault in self.response_faults(method, self.seen(response), answer)]

    def response_faults(self, method, response, answer):
        for name, header in response["headers"].items():
            header = self.seen(header)
            value = answer.headers.get(name.lower())
            if value is None and header.get("required"):
                yield f"the header {name} is missing"
            elif value is not None:
                yield from (f"{name}{fault}" for fault in self.faults(header["schema"], value))
        for name in answer.headers.keys() - FRAMING - {name.lower() for name in response["headers"]}:
            yield f"the contract has no header {name}"
        kind = answer.headers.get("content-type", "").split(";")[0]
        content = response.get("content", {})
        if kind not in content and (kind or content):
            yield f"the contract has no answer of type {kind!r}"
        elif method != "HEAD" and content:
            yield from self.body_faults(kind, content[kind], answer.body)

    def body_faults(self, kind, content, body):
        if kind == "application/x-ndjson":
            return [fault for line in body.splitlines() for fault in self.faults(content["x-line-schema"], json.loads(line))]
        if kind.endswith("json"):
            return self.faults(content["schema"], json.loads(body))
        return [] if body else ["the body is empty"]


CONTRACTS = {}


def contract_of(service):
    if service not in CONTRACTS:
        CONTRACTS[service] = Contract(service)
    return CONTRACTS[service]


class CheckedClient(Client):
    """Fails when an answer is not as the contract of its service has it. Remembers the operations and statuses that it has seen."""

    seen = set()  # (service, operationId, status)

    def __init__(self, service, port):
        super().__init__(port)
        self.service = service

    def call(self, method, path, body=None, headers=None):
        answer = super().call(method, path, body, headers)
        contract = contract_of(self.service)
        faults = contract.faults_of(method, path, answer)
        assert not faults, "\n".join(["not as the contract has it:", *faults, str(answer.headers), answer.body[:1000].decode(errors="replace")])
        if operation := contract.operation(method, path):
            self.seen.add((self.service, operation["operationId"], answer.status))
        return answer


class Events(Document):
    """The AsyncAPI document."""

    def __init__(self):
        super().__init__(bundle.events())
        self.topics = {channel["address"]: self.seen(next(iter(channel["messages"].values()))) for channel in self.whole["channels"].values()}

    def message(self, topic):
        """{headers, payload} of the messages in a topic; dead letters have one for all topics."""
        return self.topics["{topic}.DLT" if topic.endswith(".DLT") else topic]

    def headers_schema(self, message):
        return message["headers"] if "headers" in message else self.seen(message["traits"][0])["headers"]

    def faults_of(self, topic, key, headers, value):
        """A text for each difference between a message and the contract. headers: {name: text}; value: JSON."""
        message = self.message(topic)
        faults = self.faults(self.headers_schema(message), headers) + self.faults(message["payload"], json.loads(value))
        binding = self.seen(message["traits"][0])["bindings"]["kafka"]["key"]
        return [f"{topic}: {fault}" for fault in faults + self.faults(binding, key)]


def names_in(source, start):
    """The words in quotes between the braces that follow each `start` in a source text."""
    for found in re.finditer(re.escape(start) + r"[^{};]*\{([^{}]*)\}", source):
        yield re.findall(r'"([^"]+)"', found[1])
