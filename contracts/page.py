"""Makes the page /docs of a service from its bundled OpenAPI document: static HTML without scripts, with a contents list, the operations by
tag, and the schemas that they name."""
import html
import json
import re

from bundle import operations

STYLE = ("body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}"
         "code,pre,th{font:14px/1.45 ui-monospace,monospace}code,pre{background:#f3f4f6}pre{padding:.6rem;overflow:auto}code{padding:0 .2em}"
         "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;border-top:1px solid #ddd;padding:.25rem .6rem .25rem 0}"
         "section{border-top:2px solid #1a1a1a;margin-top:2rem}a{color:#0b57d0}"
         "@media(prefers-color-scheme:dark){body{color:#eee;background:#16181c}code,pre{background:#24272e}a{color:#8ab4f8}section{border-color:#eee}}")

BRIEF = "Health and metrics"  # the operations of this tag are told without parameters and answers


def text(markdown):
    """One paragraph: `code` and nothing else of Markdown."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(markdown or "", quote=False))


def paragraphs(markdown):
    for part in (markdown or "").split("\n\n"):
        if part.startswith("- "):
            items = re.split(r"\n- ", part[2:])
            yield "<ul>" + "".join(f"<li>{text(item)}" for item in items) + "</ul>"
        else:
            yield f"<p>{text(part)}"


def is_page(schema):
    """Whether it is the answer of a list."""
    return "nextCursor" in schema.get("properties", {})


class Page:
    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.url = document["servers"][0]["url"]

    def seen(self, value):
        """The value, or what its reference leads to."""
        while isinstance(value, dict) and "$ref" in value:
            _, _, kind, name = value["$ref"].split("/")
            value = self.document["components"][kind][name] | {other: member for other, member in value.items() if other != "$ref"}
        return value

    def kind(self, schema):
        """A schema in a few words, with its limits."""
        name = schema["$ref"].rsplit("/", 1)[1] if "$ref" in schema else None
        whole = self.seen(schema)
        if is_page(whole):
            return f"page of {self.kind(whole['properties']['items']['items'])}"
        if name and whole.get("properties") and whole["type"] == "object":
            return f'<a href="#s-{name}">{name}</a>'
        if "const" in whole:
            return f"<code>{html.escape(json.dumps(whole['const']))}</code>"
        if len(whole.get("enum", [])) > 12:
            return f"one of {len(whole['enum'])} words"
        if "enum" in whole:
            return " | ".join(html.escape(str(value)) for value in whole["enum"])
        if whole.get("type") == "array":
            return f"{self.limits(whole, 'Items')}list of {self.kind(whole['items'])}"
        if whole.get("maxProperties") == 0:
            return "{}, which is optional"
        kinds = whole.get("type", "any")
        kinds = " or ".join(kinds) if isinstance(kinds, list) else kinds
        words = [whole.get("format") if whole.get("format") not in (None, "int64") else kinds]
        if "minimum" in whole or "maximum" in whole:
            words.append(f"{whole.get('minimum', '')} to {whole['maximum']}" if "maximum" in whole else f"at least {whole['minimum']}")
        if "maxLength" in whole and "format" not in whole:
            words.append(f"{whole.get('minLength', 0)} to {whole['maxLength']} characters")
        if "default" in whole:
            words.append(f"default {json.dumps(whole['default'])}")
        return html.escape(", ".join(words))

    @staticmethod
    def limits(schema, suffix):
        low, high = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
        return f"{low or 0} to {high} " if high else ""

    def described(self, schema, own=None):
        return text(own or self.seen(schema).get("description"))

    def curl(self, method, path, parameters, operation):
        """A command that can be pasted. Query parameters that are not required stand in the table only."""
        for parameter in parameters:
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", str(parameter["example"]).replace(" ", "%20").replace("/", "%2F"))
        query = [f"{parameter['name']}={value}" for parameter in parameters if parameter["in"] == "query" and parameter.get("required")
                 for value in parameter["example"]]
        command = f"curl '{self.url}{path}{'?' + '&'.join(query) if query else ''}'"
        if method != "GET" and not (method == "POST" and "requestBody" in operation):
            command += f" -X {method}"
        if any(parameter["name"] == "Idempotency-Key" for parameter in parameters):
            command += " \\\n  -H 'Idempotency-Key: first'"
        for kind, body in operation.get("requestBody", {}).get("content", {}).items():
            value = next(iter(body["examples"].values()))["value"]
            sent = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            flag = "--data-binary" if isinstance(value, str) else "-d"
            quoted = "$'" + sent.replace("\n", "\\n") + "'" if isinstance(value, str) else "'" + sent.replace("'", "'\\''") + "'"
            command += f" \\\n  -H 'Content-Type: {kind}' \\\n  {flag} {quoted}"
        return f"<pre>{html.escape(command, quote=False)}</pre>"

    def parameter(self, parameter, name=None):
        one = self.seen(parameter)
        must = ", required" if one.get("required") and one["in"] != "path" else ""
        mark = f' id="p-{name}"' if name else ""
        return (f"<tr{mark}><td><code>{html.escape(one['name'])}</code> {one['in']}{must}<td>{self.kind(one['schema'])}"
                f"<td>{text(one['description'])}")

    def operation(self, method, path, item, operation):
        every = {reference["$ref"] for reference in self.everywhere["parameters"]}
        named = [parameter for parameter in item.get("parameters", []) + operation["parameters"] if parameter.get("$ref") not in every]
        parameters = [self.seen(parameter) for parameter in named]
        common = [parameter["$ref"].rsplit("/", 1)[1] for parameter in named if "$ref" in parameter]
        yield f'<h3 id="{operation["operationId"]}">{method} {html.escape(path)}</h3>'
        yield f"<p><b>{text(operation['summary'])}.</b> {text(operation['description'])} Scope: {operation['x-scope']}."
        if BRIEF in operation["tags"]:  # Spring Boot's, alike in every service; openapi.json has the rest
            yield self.curl(method, path, parameters, operation)
            return
        if common:
            yield "<p>Takes " + ", ".join(f'<a href="#p-{name}">{self.document["components"]["parameters"][name]["name"]}</a>' for name in common)
        if len(named) > len(common):
            yield "<table>"
            yield from (self.parameter(one) for one in named if "$ref" not in one)
            yield "</table>"
        for body in operation.get("requestBody", {}).get("content", {}).values():
            limit = f", at most {operation['x-body-bytes-max']} bytes" if "x-body-bytes-max" in operation else ""
            yield f"<p>Body{limit}: {self.kind(body.get('x-line-schema', body['schema']))}"
            yield " a line" if "x-line-schema" in body else ""
        own = {status: reference for status, reference in operation["responses"].items() if reference != self.everywhere["responses"].get(status)}
        codes = {status: self.codes(self.seen(reference)) for status, reference in own.items()}
        yield from (f"<p>{status}: {self.answer(reference)}" for status, reference in own.items() if not codes[status])
        if any(codes.values()):  # a code that its status alone tells stands in the list of problems only
            yield "<p>Errors:" + ",".join(f" {status}{names if status in ('409', '422') else ''}" for status, names in codes.items() if names)
        yield self.curl(method, path, parameters, operation)

    def answer(self, reference):
        response = self.seen(reference)
        kinds = {self.kind(content.get("x-line-schema", content["schema"])) for kind, content in response.get("content", {}).items()
                 if kind != "application/problem+json" and "schema" in content}
        links = sorted(kind for kind in kinds if "<a" in kind)
        return text(response["description"]) + "".join(f" {link}" for link in links) + self.codes(response)

    def codes(self, response):
        problem = response.get("content", {}).get("application/problem+json")
        code = (problem or {}).get("schema", {}).get("properties", {}).get("code", {})
        names = [code["const"]] if "const" in code else code.get("enum", [])
        return "".join(f" {name}" for name in names)

    def problems(self):
        """{status: its codes}, of all operations and of requests that none serves."""
        found = {}
        responses = [self.document["x-no-operation"], *(row[3]["responses"] for row in operations(self.document))]
        for status, reference in (pair for response in responses for pair in response.items()):
            for code in self.codes(self.seen(reference)).split():
                found.setdefault(status, set()).add(code)
        return {status: sorted(codes) for status, codes in found.items()}

    def base_of(self, name, schema):
        """The largest schema that has nothing but members of this one, so that they need not be told twice; None for few of them."""
        def is_part(other):
            return len(other) > 3 and all(schema["properties"].get(member) == kind for member, kind in other.items())
        parts = {one: len(other["properties"]) for one, other in self.schemas.items()
                 if one != name and len(other.get("properties", {})) < len(schema["properties"]) and is_part(other.get("properties", {}))}
        return max(parts, key=parts.get, default=None)

    def schema(self, name, schema):
        yield f'<h3 id="s-{name}">{name}</h3>' + (f"<p>{text(schema['description'])}" if "description" in schema else "")
        base = self.base_of(name, schema)
        if base:
            more = [member for member in schema.get("required", []) if member in self.schemas[base]["properties"]
                    and member not in self.schemas[base].get("required", [])]
            yield f'<p>As <a href="#s-{base}">{base}</a>{", with required " + ", ".join(more) if more else ""}, and:'
        yield "<table>"
        for member, kind in schema["properties"].items():
            if base and member in self.schemas[base]["properties"]:
                continue
            must = "" if member in schema.get("required", []) else "?"
            about = self.described(kind)
            yield f"<tr><th>{html.escape(member)}{must}<td>{self.kind(kind)}" + (f"<td>{about}" if about else "")
        yield "</table>"

    def html(self, everywhere):
        """everywhere: what each operation has, and no operation repeats on the page."""
        self.everywhere = everywhere
        about = self.document["info"]
        yield (f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
               f"<title>{html.escape(about['title'])}</title><style>{STYLE}</style><h1>{html.escape(about['title'])}</h1>")
        yield from paragraphs(about["description"])
        yield '<p>Version ' + about["version"] + '. For tools: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).'
        listed = list(operations(self.document))
        for tag in self.document["tags"]:
            rows = [row for row in listed if tag["name"] in row[3]["tags"]]
            yield f"<p><b>{html.escape(tag['name'])}</b><br>" + "<br>".join(
                f'<a href="#{operation["operationId"]}">{method} {html.escape(path)}</a>' for method, path, _, operation in rows)
        yield "<section><h2>Every operation</h2><table>"
        yield from (self.parameter(parameter) for parameter in everywhere["parameters"])
        yield "</table><ul>"
        for status, reference in everywhere["responses"].items():
            yield f"<li>{status}: {self.answer(reference)}"
        yield "</ul></section><section><h2>Parameters of several operations</h2><table>"
        every = {parameter["$ref"].rsplit("/", 1)[1] for parameter in everywhere["parameters"]}
        for name, parameter in self.document["components"]["parameters"].items():
            if name not in every:
                yield self.parameter(parameter, name)
        yield "</table></section>"
        for tag in self.document["tags"]:
            yield f"<section><h2>{html.escape(tag['name'])}</h2><p>{text(tag['description'])}"
            for row in listed:
                if tag["name"] in row[3]["tags"]:
                    yield from self.operation(*row)
            yield "</section>"
        yield "<section><h2>Problems</h2><ul>"
        for status, codes in sorted(self.problems().items()):
            yield f"<li>{status}: " + ", ".join(f'<a href="/problems/{code}">{code}</a>' for code in codes)
        yield "</ul></section><section><h2>Schemas</h2>"
        for name, schema in self.schemas.items():
            if schema.get("type") == "object" and schema.get("properties") and not is_page(schema):
                yield from self.schema(name, schema)
        yield "</section></html>"


def page(document, everywhere):
    return "\n".join(part for part in Page(document).html(everywhere) if part) + "\n"
