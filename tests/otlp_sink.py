"""A collector for tests: takes OTLP/HTTP JSON, checks every field of it, and keeps spans and log lines."""
import base64
import http.server
import json
import re
import threading

try:  # the real messages, where opentelemetry-proto is installed (tests/accept/otel); our own table checks as strictly without it
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}
except ImportError:
    REQUESTS = {}


def text(value):
    return isinstance(value, str)


def number_of_32_bits(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def number_of_64_bits(value):  # a string in protobuf's JSON
    return isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value) is not None


def hex_of(digits):
    return lambda value: isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{digits}}}", value) is not None and set(value) != {"0"}


def truth(value):
    return isinstance(value, bool)


# Of opentelemetry-proto 1.x, as far as we send it. A list of one table is a repeated message.
VALUE = {"stringValue": text, "intValue": number_of_64_bits, "boolValue": truth}
ATTRIBUTES = [{"key": text, "value": VALUE}]
RESOURCE = {"attributes": ATTRIBUTES}
SCOPE = {"name": text, "version": text}
LINK = {"traceId": hex_of(32), "spanId": hex_of(16), "flags": number_of_32_bits}
SPAN = {"traceId": hex_of(32), "spanId": hex_of(16), "traceState": text, "parentSpanId": hex_of(16), "flags": number_of_32_bits, "name": text,
        "kind": lambda kind: kind in (1, 2, 3, 4, 5), "startTimeUnixNano": number_of_64_bits, "endTimeUnixNano": number_of_64_bits,
        "attributes": ATTRIBUTES, "links": [LINK], "status": {"code": lambda code: code == 2}}
RECORD = {"timeUnixNano": number_of_64_bits, "observedTimeUnixNano": number_of_64_bits, "severityNumber": lambda level: level in (5, 9, 13, 17),
          "severityText": text, "body": VALUE, "attributes": ATTRIBUTES, "traceId": hex_of(32), "spanId": hex_of(16)}
BODIES = {"/v1/traces": {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"scope": SCOPE, "spans": [SPAN]}]}]},
          "/v1/logs": {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"scope": SCOPE, "logRecords": [RECORD]}]}]}}
OPTIONAL = {"traceState", "parentSpanId", "links", "status", "traceId of a record", "spanId of a record"}


def faults_in(value, table, path=""):
    """Every place where the value is not what the table says."""
    if callable(table):
        if not table(value):
            yield f"{path}: {value!r}"
    elif isinstance(table, list):
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for i, item in enumerate(value):
            yield from faults_in(item, table[0], f"{path}[{i}]")
    elif not isinstance(value, dict):
        yield f"{path}: no object"
    else:
        for name in value.keys() - table.keys():
            yield f"{path}: no field is called {name}"
        of = " of a record" if table is RECORD else ""
        missing = set() if table is VALUE else {name for name in table.keys() - value.keys() if name not in OPTIONAL and name + of not in OPTIONAL}
        if missing or (table is VALUE and len(value) != 1):
            yield f"{path}: lacks {missing or 'its one value'}"
        for name in value.keys() & table.keys():
            yield from faults_in(value[name], table[name], f"{path}.{name}")


def as_protobuf_wants(value):
    """OTLP writes ids in hex, protobuf's JSON in base64."""
    if isinstance(value, list):
        return [as_protobuf_wants(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    return {name: base64.b64encode(bytes.fromhex(item)).decode() if name in ids else as_protobuf_wants(item) for name, item in value.items()}


def attributes_of(item):
    return {one["key"]: next(iter(one["value"].values())) for one in item["attributes"]}


class Span:
    def __init__(self, resource, span):
        self.service, self.resource = resource["service.name"], resource
        self.trace, self.id, self.parent = span["traceId"], span["spanId"], span.get("parentSpanId")
        self.name, self.kind, self.state = span["name"], span["kind"], span.get("traceState")
        self.start, self.end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        self.attributes = attributes_of(span)
        self.links = [(link["traceId"], link["spanId"]) for link in span.get("links", [])]
        self.failed = span.get("status", {}).get("code") == 2
        self.partial = self.attributes.get("trackops.partial", False)

    def __repr__(self):
        return f"{self.service}: {self.name} {self.id} < {self.parent} {self.attributes}"


class Line:
    def __init__(self, resource, record):
        self.service, self.trace, self.span = resource["service.name"], record.get("traceId"), record.get("spanId")
        self.severity, self.message, self.attributes = record["severityText"], record["body"]["stringValue"], attributes_of(record)


class Sink:
    """Listens on a port of its own. `status` answers the next requests; only a request that was answered 200 is kept."""

    def __init__(self):
        self.spans, self.lines, self.faults, self.requests, self.bodies = [], [], [], 0, []
        self.status, self.headers = 200, []
        self.lock = threading.Lock()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = sink.take(self.path, self.headers, body)
                self.send_response(status)
                answer = b'{"partialSuccess":{}}'
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def take(self, path, headers, body):
        with self.lock:
            self.requests += 1
            self.headers.append(dict(headers))
            if self.status != 200:
                return self.status
            try:
                self.keep(path, headers, json.loads(body))
            except Exception as fault:  # pylint: disable=broad-except  # the test reads it
                self.faults.append(f"{path}: {fault!r}")
            self.bodies.append(body.decode())
            return 200

    def keep(self, path, headers, document):
        if headers["Content-Type"] != "application/json":
            self.faults.append(f"content type {headers['Content-Type']}")
        self.faults += [f"{path} {fault}" for fault in faults_in(document, BODIES[path])]
        if path in REQUESTS:
            json_format.ParseDict(as_protobuf_wants(document), REQUESTS[path]())  # refuses an unknown field, and a value of another type
        for group in document.get("resourceSpans", []):
            resource = attributes_of(group["resource"])
            self.spans += [Span(resource, span) for scope in group["scopeSpans"] for span in scope["spans"]]
        for group in document.get("resourceLogs", []):
            resource = attributes_of(group["resource"])
            self.lines += [Line(resource, record) for scope in group["scopeLogs"] for record in scope["logRecords"]]

    def trace(self, trace):
        with self.lock:
            return [span for span in self.spans if span.trace == trace]

    def lines_of(self, trace):
        with self.lock:
            return [line for line in self.lines if line.trace == trace]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
