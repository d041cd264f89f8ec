"""What the services say about themselves: the contract, the page made from it, and the pages of the problems."""
import html.parser
import json

import pytest

from conformance import FILES, contract_of

PAGE_BYTES_MAX = 96 * 1024


class Reader(html.parser.HTMLParser):
    """The links, ids and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids, self.commands, self.is_command = set(), [], set(), [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        self.is_command = tag == "pre"
        if self.is_command:
            self.commands.append("")
        self.ids |= {attributes["id"]} if "id" in attributes else set()
        self.links += [attributes[name] for name in ("href", "src") if name in attributes]

    def handle_endtag(self, tag):
        self.is_command = self.is_command and tag != "pre"

    def handle_data(self, data):
        if self.is_command:
            self.commands[-1] += data


@pytest.mark.parametrize("service", FILES)
def test_a_service_serves_its_own_contract(system, service):
    client = system.client(service)
    served = client.get("/openapi.json").expect(200)
    assert served == contract_of(service).whole
    assert client.get("/v3/api-docs").expect(200) == served


@pytest.mark.parametrize("service", FILES)
def test_the_page_lists_every_operation_and_asks_for_nothing_else(system, service):
    answer = system.client(service).get("/docs")
    assert answer.status == 200 and len(answer.body) < PAGE_BYTES_MAX
    page = Reader(answer.body.decode())
    assert not page.tags & {"script", "img", "link", "iframe", "object", "embed", "form"}
    operations = contract_of(service).operations
    assert {operation["operationId"] for _, _, _, operation in operations} <= page.ids
    for link in page.links:
        assert link[1:] in page.ids if link.startswith("#") else system.client(service).get(link).status == 200, link
    assert len(page.commands) == len(operations)
    assert all(command.startswith("curl 'http://localhost:") for command in page.commands)


@pytest.mark.parametrize("service", FILES)
def test_browsers_are_led_to_the_page(system, service):
    answer = system.client(service).get("/", {"Accept": "text/html"})
    assert (answer.status, answer.headers["location"]) == (302, "/docs")


@pytest.mark.parametrize("service", FILES)
def test_the_type_of_a_problem_leads_to_its_page(system, service):
    client = system.client(service)
    problem = client.get("/nothing").problem(404, "not-found")
    path = "/problems/" + problem["type"].rsplit("/problems/", 1)[1]
    answer = client.get(path)
    assert answer.status == 200 and b"<code>not-found</code>" in answer.body
    for code in contract_of(service).whole["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]:
        assert client.get(f"/problems/{code}").status == 200, code


def test_the_services_share_what_is_the_same():
    """A part that two contracts have is the same in both."""
    documents = [contract_of(service).whole for service in FILES]
    for kind in ("schemas", "responses", "parameters", "headers"):
        for name in set.intersection(*(set(document["components"][kind]) for document in documents)):
            assert len({json.dumps(document["components"][kind][name], sort_keys=True) for document in documents}) == 1, f"{kind}/{name}"
