#!/usr/bin/env python3
"""Makes one document, complete in itself, of a service's contract: bundle.py order-service [FILE] prints or writes it as JSON.

A `$ref` to another file is followed: parts of its `components` are copied into the document under their own names, anything else (a path)
stands where the `$ref` stood. Then each operation gets what `x-every-operation` of shared.yaml says, and the security that its `x-scope` asks for.
"""
import json
import pathlib
import sys

import yaml

FOLDER = pathlib.Path(__file__).resolve().parent
SERVICES = ("order-service", "inventory-service", "event-relay-service")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Bundle:
    def __init__(self):
        self.files = {}  # {name: content}
        self.components = {}  # {kind: {name: (file, content)}}

    def load(self, name):
        if name not in self.files:
            self.files[name] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
        return self.files[name]

    def find(self, file, pointer):
        value = self.load(file)
        for part in pointer.split("/")[1:]:
            value = value[part.replace("~1", "/").replace("~0", "~")]
        return value

    def component(self, file, kind, name):
        """Copies the component once; its parts are resolved against its own file. Returns the reference to it."""
        known = self.components.setdefault(kind, {})
        if name not in known:
            known[name] = (file, None)  # a schema may refer to itself
            known[name] = (file, self.resolved(file, self.find(file, f"/components/{kind}/{name}")))
        assert known[name][0] == file, f"{kind}/{name} stands in {known[name][0]} and in {file}"
        return f"#/components/{kind}/{name}"

    def resolved(self, file, value):
        if isinstance(value, list):
            return [self.resolved(file, element) for element in value]
        if not isinstance(value, dict):
            return value
        members = {str(name): self.resolved(file, member) for name, member in value.items() if name != "$ref"}
        if "$ref" not in value:
            return members
        target, _, pointer = value["$ref"].partition("#")
        target = target or file
        parts = pointer.split("/")
        if parts[1] == "components":
            return {"$ref": self.component(target, parts[2], parts[3])} | members
        return self.resolved(target, self.find(target, pointer)) | members


def operations(document):
    """Yields (method in capitals, path, path item, operation)."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item, item[method]


def responses_of(document):
    """Yields each response object once, whether it stands in an operation or in the components."""
    yield from document["components"]["responses"].values()
    for _, _, _, operation in operations(document):
        yield from (response for response in operation["responses"].values() if "$ref" not in response)


def bundled(name):
    """The whole OpenAPI document of a service, such as order-service, as Python values."""
    bundle = Bundle()
    own = bundle.load(f"{name}.yaml")
    document = bundle.resolved(f"{name}.yaml", {member: value for member, value in own.items() if member != "components"})
    shared = bundle.load("shared.yaml")
    every = bundle.resolved("shared.yaml", shared["x-every-operation"])
    scoped = bundle.resolved("shared.yaml", shared["x-scoped-operation"])
    for scheme in ("ServiceKey", "Session"):
        bundle.component("shared.yaml", "securitySchemes", scheme)
    document["x-no-operation"] = bundle.resolved("shared.yaml", shared["x-no-operation"])
    document["components"] = {kind: {name: content for name, (_, content) in sorted(parts.items())}
                              for kind, parts in sorted(bundle.components.items())}
    for _, _, _, operation in operations(document):
        is_open = operation["x-scope"] == "everybody"
        operation["security"] = [] if is_open else [{"ServiceKey": []}, {"Session": []}]
        operation["parameters"] = operation.get("parameters", []) + every["parameters"]
        answers = every["responses"] | ({} if is_open else scoped["responses"])
        operation["responses"] = dict(sorted((answers | operation["responses"]).items()))
    for response in responses_of(document):
        response["headers"] = response.get("headers", {}) | every["headers"]
    return document


def every_operation():
    """What bundled() adds to each operation: {parameters, responses, headers}, with references into the bundled document."""
    bundle = Bundle()
    return bundle.resolved("shared.yaml", bundle.load("shared.yaml")["x-every-operation"])


def events():
    """The AsyncAPI document as Python values."""
    return yaml.safe_load((FOLDER / "events.yaml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    wanted = sys.argv[1].removesuffix(".yaml")
    text = json.dumps(events() if wanted == "events" else bundled(wanted), ensure_ascii=False, indent=1) + "\n"
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text(text, encoding="utf-8")
    else:
        print(text, end="")
