"""Today's programs go on from what released ones left behind (tests/fixtures/README.md): no order, answer, event or reservation is lost or doubled."""
import datetime
import json
import pathlib
import sys

import pytest

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures"
sys.path.insert(0, str(FIXTURES))

import store  # noqa: E402
from check_stock import check_stock, settled  # noqa: E402
from check_system import ORDER_TOPICS, REPLY_TOPICS, history_faults, identity_faults, reply_faults  # noqa: E402
from databases import Database  # noqa: E402
from harness import wait_until  # noqa: E402
from scene import attempts  # noqa: E402
from stages import Embedded, Processes  # noqa: E402

VERSIONS = sorted(path.name for path in FIXTURES.iterdir() if path.name[0].isdigit())


@pytest.fixture(params=VERSIONS)
def version(request):
    return FIXTURES / request.param


@pytest.fixture(params=["embedded", "servers"])
def stage(request, tmp_path):
    its = Embedded(tmp_path / "stage") if request.param == "embedded" else Processes(request.getfixturevalue("servers").up(), tmp_path / "stage")
    yield its
    its.end()


def test_todays_programs_go_on_from_what_was_left_behind(stage, version):
    expected = store.read_json(version / stage.name / "expected.json")
    # Keys, sagas, claims and old messages have their time: they are restored as if they had been left a moment ago.
    shift = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(expected["recorded_at"])
    stage.restore(version / stage.name, expected, shift)
    left_behind = stage.messages()

    stage.publish_first()
    shop = stage.start(inventory=False)  # nothing changes an order yet
    orders_are_as_they_were(shop, expected)
    recorded_answers_are_given_again(shop.orders, "order", expected)
    parked_events_are_as_they_were(stage, expected)
    stage.published("order")
    sagas_ask_again(shop, expected)
    stage.stop()

    shop = stage.start()
    recorded_answers_are_given_again(shop.inventory, "inventory", expected)
    parked_events_are_retried(stage)
    sagas_end(shop)
    orders_came_to_their_ends(shop, expected)
    reservations_stay_as_they_were(shop, expected)
    new_orders_are_taken(shop)
    nothing_is_lost_or_doubled(stage, left_behind, expected)
    stage.stop()
    verified = stage.verify()
    assert verified.returncode == 0, verified.stdout + verified.stderr


def orders_are_as_they_were(shop, expected):
    assert {order["id"] for order in shop.everything("/api/orders?limit=20")} == expected["orders"].keys()
    for order_id, recorded in expected["orders"].items():
        answer = shop.orders.get(f"/api/orders/{order_id}")
        answer.expect(200)
        assert (answer.body.decode(), answer.headers["etag"]) == (recorded["answer"], recorded["etag"])
    sagas = {saga["id"]: (saga["type"], saga["status"], saga["orderId"]) for saga in shop.everything("/api/sagas?limit=20")}
    assert sagas == {saga_id: (saga["type"], saga["status"], saga["orderId"]) for saga_id, saga in expected["sagas"].items()}


def recorded_answers_are_given_again(client, service, expected):
    keys = [key for key in expected["keys"] if key["service"] == service]
    assert keys
    for key in keys:
        answer = client.call(key["method"], key["path"], key["body"].encode() if key["body"] else None, {"Idempotency-Key": key["key"]})
        assert answer.headers.get("idempotency-replayed") == "true", (key, answer.body)
        assert (answer.status, answer.body.decode()) == (key["status"], key["answer"])
        assert (answer.headers.get("etag"), answer.headers.get("location")) == (key["etag"], key["location"])
    reused = next(key for key in keys if key["body"])
    client.call(reused["method"], reused["path"], reused["body"].encode() + b" ", {"Idempotency-Key": reused["key"]}).problem(422, "idempotency-key-reused")


def parked_events_are_as_they_were(stage, expected):
    def seen(events):
        return [(event["id"], event["type"], event["key"], event["sequence"], event["state"], event.get("reason")) for event in events]
    assert seen(stage.events("order", "parked")) == seen(expected["parked"])


def sagas_ask_again(shop, expected):
    """Those that were about to: their next attempt was due within seconds of the end."""
    for role, kind, step in (("pending, asked again", "ORDER_FULFILMENT", 0), ("cancelled, asked again", "ORDER_CANCELLATION", -1)):
        order = expected["roles"][role]
        (before,) = [saga["steps"][step]["attempts"] for saga in expected["sagas"].values() if (saga["orderId"], saga["type"]) == (order, kind)]
        wait_until(lambda order=order, kind=kind, before=before: attempts(shop, order, kind) > before, 60,
                   f"{role}: one more attempt")


def parked_events_are_retried(stage):
    for service in ("order", "inventory"):
        parked = [event for event in stage.events(service, "parked") if event["state"] == "PARKED"]
        assert parked, service
        for event in parked:
            stage.relay(service).post(f"/api/relay/events/{event['id']}/retry").expect(200)
        wait_until(lambda service=service: not stage.events(service, "parked"), what=f"what waited behind the parked events of {service} being published")
        stage.published(service)


def sagas_end(shop):
    shop.comes_to_rest()
    wait_until(lambda: not shop.orders.get("/api/sagas?status=BLOCKED&limit=1").expect(200)["items"], what="blocked sagas having got their answers")


def orders_came_to_their_ends(shop, expected):
    for order_id, recorded in expected["orders"].items():
        answer = shop.orders.get(f"/api/orders/{order_id}")
        if order_id in expected["fates"]:
            assert (answer.json()["status"], answer.json()["version"]) == (expected["fates"][order_id], json.loads(recorded["answer"])["version"] + 1)
        else:
            assert answer.body.decode() == recorded["answer"]


def reservations_stay_as_they_were(shop, expected):
    """Those that nothing was left to be done with."""
    for reservation in expected["reservations"].values():
        if reservation["status"] != "RESERVED":
            assert shop.inventory.get(f"/api/inventory/reservations/{reservation['id']}").expect(200) == reservation


def new_orders_are_taken(shop):
    for sku in (*shop_skus(shop), shop.new_sku(5)):
        order = shop.place_confirmed((sku, 1))
        for action in ("process", "ship", "deliver"):
            shop.change(order["id"], action).expect(200)
        wait_until(lambda order=order: shop.reservations(order["id"])[0]["status"] == "FULFILLED", what="its stock being gone")


def shop_skus(shop):
    return [item["sku"] for item in shop.inventory.get("/api/inventory/items?limit=500").expect(200)["items"] if item["available"] > 0]


def nothing_is_lost_or_doubled(stage, left_behind, expected):
    """What was planted on purpose is no fault; it is a dead letter already, and must not become one again."""
    databases = stage.url("order"), stage.url("inventory")

    def look():
        figures, faults = check_stock(*databases)
        messages = stage.messages()
        ours = [one for one in messages if one.header("x-planted") is None]
        orders = [one for one in ours if one.topic in ORDER_TOPICS]
        assert messages and set(left_behind) <= set(messages)
        for found in (identity_faults([one for one in ours if one.topic in ORDER_TOPICS + REPLY_TOPICS]), history_faults(Database(databases[0]), orders),
                      reply_faults(Database(databases[1]), ours)):
            faults += [f"{kind}: {evidence}" for kind, evidence in found]
        published = {one.id for one in ours}
        faults += [f"an event was never published: {event}" for service in ("order", "inventory")
                   for (event,) in stage.rows(service, "SELECT event_id FROM outbox_events") if event not in published]
        return figures, faults
    figures, faults = settled(look, 30)
    print("\n".join(figures))
    assert not faults, "\n".join(faults)
    messages = stage.messages()
    told_before = {(one.topic, one.id) for one in left_behind if one.topic in ORDER_TOPICS + REPLY_TOPICS}
    assert not [one for one in set(messages) - set(left_behind) if (one.topic, one.id) in told_before], "what was published is published again"
    dead = [sorted((one.topic, one.key) for one in there if one.topic.endswith(".DLT")) for there in (left_behind, messages)]
    assert dead[0] == dead[1] and {key for _, key in dead[0]} == set(expected["planted"])
