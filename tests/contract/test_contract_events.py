"""contracts/events.yaml against the sources and the messages that released versions have published (tests/fixtures)."""
import json
import re

import pytest

from conformance import Events, closed
from harness import ROOT

CONTRACT = Events()
RECORDED = [(path.parents[1].name, json.loads(line)) for path in sorted((ROOT / "tests/fixtures").glob("[0-9]*/servers/messages.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()]
OURS = [(version, message) for version, message in RECORDED
        if not message["topic"].endswith(".DLT") and "x-planted" not in dict(message["headers"])]
LETTERS = [(version, message) for version, message in RECORDED if message["topic"].endswith(".DLT")]


def test_there_are_recorded_messages_of_each_topic():
    recorded = {message["topic"] for _, message in OURS}
    assert recorded | {"ORDER_UPDATED", "CUSTOMER_ERASED"} == CONTRACT.topics.keys() - {"{topic}.DLT"}  # which 0.1 did not have
    assert LETTERS


@pytest.mark.parametrize("topic", sorted(CONTRACT.topics.keys() - {"{topic}.DLT"}))
def test_recorded_messages_are_as_the_contract_has_them(topic):
    for version, message in OURS:
        if message["topic"] == topic:
            faults = CONTRACT.faults_of(topic, message["key"], dict(message["headers"]), message["value"])
            assert not faults, (version, message)


def test_recorded_dead_letters_have_the_headers_of_the_contract():
    schema = CONTRACT.whole["components"]["schemas"]["DeadLetterHeaders"]
    for version, message in LETTERS:
        headers = {name: value for name, value in message["headers"] if name.startswith("dlt-")}
        assert not CONTRACT.faults(closed(schema), headers), (version, message)


def test_each_example_has_its_schema():
    for topic, message in CONTRACT.topics.items():
        for example in message.get("examples", []):
            assert example["headers"]["ce_type"] == topic
            assert not CONTRACT.faults_of(topic, example["headers"]["ce_subject"], example["headers"], json.dumps(example["payload"]))
    assert all(message.get("examples") for topic, message in CONTRACT.topics.items() if "DLT" not in topic)


def headers_in(path, prefix):
    return set(re.findall(rf'"({prefix})"', (ROOT / path).read_text()))


def test_the_headers_are_those_that_the_sources_write():
    written = headers_in("src/platform/relay/message.cpp", "ce_[a-z]+|content-type|trace[a-z]+")
    assert set(CONTRACT.whole["components"]["schemas"]["CloudEventHeaders"]["properties"]) == written
    letters = headers_in("src/platform/bus/consumer.cpp", "dlt-[a-z]+")
    assert set(CONTRACT.whole["components"]["schemas"]["DeadLetterHeaders"]["properties"]) == letters


def test_the_consumers_are_those_of_the_sources():
    """Each service reads the topics of its consumer group, and a dead letter comes only from a topic that somebody reads."""
    mapping = (ROOT / "src/inventory/adapters/event_mapping.cpp").read_text()
    events = (ROOT / "src/events/events.hpp").read_text()
    topic_of = dict(re.findall(r'struct (\w+) \{\n    static constexpr std::string_view type = "(\w+)"', events))
    subscribed = re.search(r"subscribed_topics\(\)[^{]*\{(.*?)\n\}", mapping, re.DOTALL)[1]
    by_inventory = {topic_of[name] for name in re.findall(r"events::(\w+)::type", subscribed)}
    by_orders = {topic for topic in topic_of.values() if topic.startswith("INVENTORY_")}
    groups = {}
    for operation in CONTRACT.whole["operations"].values():
        topic = operation["channel"]["$ref"].rsplit("/", 1)[1]
        if operation["action"] == "receive":
            groups.setdefault(operation["bindings"]["kafka"]["groupId"]["const"], set()).add(topic)
    assert groups == {"inventory-service": by_inventory, "trackops-orders": by_orders}
    letters = CONTRACT.whole["channels"]["deadLetters"]["parameters"]["topic"]["enum"]
    assert set(letters) == by_inventory | by_orders
    sent = [operation["channel"]["$ref"].rsplit("/", 1)[1] for operation in CONTRACT.whole["operations"].values() if operation["action"] == "send"]
    assert sorted(sent) == sorted(topic_of.values())
