"""Forms in which people and programs write what they mean. The service takes the meaning, and refuses only what has none."""
import json
import urllib.parse
import uuid

import pytest

from cases import ADDRESS, CUSTOMER, JSON
from conformance import contract_of
from harness import new_customer, order_body, send_raw
from systems import DEV_SYSTEMS, runs_on

pytestmark = runs_on(DEV_SYSTEMS)

BOM = b"\xef\xbb\xbf"
THAI = "\u0e16\u0e19\u0e19\u0e2a\u0e38\u0e02\u0e38\u0e21\u0e27\u0e34\u0e17 "


def order(**changes):
    return order_body(("F-1", 1)) | changes


def fault_of(answer):
    """The only fault of a 422."""
    faults = answer.problem(422, "invalid-request")["errors"]
    assert len(faults) == 1, faults
    return faults[0]


def read_back(system, body):
    created = system.client().post("/api/orders", body).expect(201)
    return system.client().get(f"/api/orders/{created['id']}").expect(200)


def new_item(system, **members):
    body = {"sku": f"F-{uuid.uuid4().hex[:10]}", "name": "A thing"} | members
    return system.client("inventory").post("/api/inventory/items", body)


# Texts

@pytest.mark.parametrize("sent,kept", [
    ("Ring twice.\nThen wait.", "Ring twice.\nThen wait."), ("Ring.\r\n\tWait.", "Ring.\r\n\tWait."),
    ("  Ring. \r\n", "Ring."), ("\u00a0Ring.\u3000", "Ring."), ("   ", None), ("", None), (None, None)])
def test_a_text_for_people_keeps_its_lines(system, sent, kept):
    assert read_back(system, order(deliveryInstructions=sent)).get("deliveryInstructions") == kept
    assert new_item(system, description=sent).expect(201).get("description") == kept


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x0b", "\x1b", "\x7f"])
def test_other_control_characters_are_refused(system, control):
    assert fault_of(system.client().post("/api/orders", order(deliveryInstructions=f"a{control}b")))["code"] == "format"
    assert fault_of(new_item(system, description=f"a{control}b"))["code"] == "format"


def test_a_text_of_one_line_has_no_line_breaks(system):
    fault = fault_of(system.client().post("/api/orders", order(shippingAddress=ADDRESS | {"line1": "1 High\nStreet"})))
    assert fault["pointer"] == "/shippingAddress/line1" and "one line" in fault["detail"]
    assert read_back(system, order(shippingAddress=ADDRESS | {"line1": " 1 High Street\n"}))["shippingAddress"]["line1"] == "1 High Street"


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u3000"], ids=repr)
def test_a_text_of_blanks_is_empty(system, blank):
    address = ADDRESS | {"recipient": blank, "line2": blank, "region": blank, "phone": blank}
    assert read_back(system, order(shippingAddress=address, externalRef=blank))["shippingAddress"] == ADDRESS
    for name in ("line1", "city"):
        fault = fault_of(system.client().post("/api/orders", order(shippingAddress=ADDRESS | {name: blank})))
        assert (fault["pointer"], fault["detail"]) == (f"/shippingAddress/{name}", "must not be empty")
    assert fault_of(new_item(system, name=blank))["pointer"] == "/name"


def test_an_emptied_text_of_an_item_is_cleared(system):
    sku = new_item(system, description="Old", category="Old").expect(201)["sku"]
    item = system.client("inventory").call("PATCH", f"/api/inventory/items/{sku}", {"description": " ", "category": ""}).expect(200)
    assert "description" not in item and "category" not in item


@pytest.mark.parametrize("letter", ["a", "\u0444", "\u0e01", "\U0001F600"], ids=["Latin", "Cyrillic", "Thai", "emoji"])
def test_limits_count_characters(system, letter):
    for name, most in (("line1", 200), ("city", 100)):
        longest = ADDRESS | {name: letter * most}
        assert read_back(system, order(shippingAddress=longest))["shippingAddress"] == longest
        fault = fault_of(system.client().post("/api/orders", order(shippingAddress=ADDRESS | {name: letter * (most + 1)})))
        assert fault["code"] == "length" and f"{most} characters" in fault["detail"]
    assert read_back(system, order(deliveryInstructions=letter * 1000))["deliveryInstructions"] == letter * 1000
    assert new_item(system, name=letter * 200, description=letter * 2000, category=letter * 100).expect(201)["name"] == letter * 200


@pytest.mark.parametrize("sku", ["F-9 ", "F  9", " F-9"])
def test_a_sku_has_no_blank_that_nobody_sees(system, sku):
    assert "blank" in fault_of(new_item(system, sku=sku))["detail"]
    assert fault_of(system.client().post("/api/orders", order_body((sku, 1))))["pointer"] == "/items/0/sku"


# Numbers

NUMBERS = ["12345678901234567890123", "-9223372036854775809", "18446744073709551616", "9007199254740993", "0.12345678901234567890",
           "123456789012345678901.5", "19.90", "100", "-0.5", "9223372036854775807"]


def test_metadata_comes_back_digit_for_digit(system):
    body = json.dumps(order())[:-1] + ', "metadata": {"n": [' + ",".join(NUMBERS) + ']}}'
    created = system.client().post("/api/orders", body.encode())
    answer = system.client().get(f"/api/orders/{created.expect(201)['id']}")
    for text in (created.body, answer.body):
        assert json.loads(text, parse_int=str, parse_float=str)["metadata"]["n"] == NUMBERS


@pytest.mark.parametrize("sent,kept", [("1e2", "100"), ("1.50E+1", "15.0"), ("-2.5e-3", "-0.0025"), ("-0", "0"), ("0e9", "0")])
def test_a_number_loses_its_exponent_and_not_its_value(system, sent, kept):
    body = json.dumps(order())[:-1] + ', "metadata": {"n": %s}}' % sent
    created = system.client().post("/api/orders", body.encode()).expect(201)
    answer = system.client().get(f"/api/orders/{created['id']}").body
    assert json.loads(answer, parse_int=str, parse_float=str)["metadata"]["n"] == kept


@pytest.mark.parametrize("number,status,code", [("1e400", 400, "malformed-request"), ("1e-400", 400, "malformed-request")])
def test_a_number_that_cannot_be_kept_is_refused(system, number, status, code):
    body = json.dumps(order())[:-1] + ', "metadata": {"n": %s}}' % number
    assert "line 1, column" in system.client().post("/api/orders", body.encode()).problem(status, code)["detail"]


@pytest.mark.parametrize("two", ["2.0", "2e0", "0.2E1", "2.000"])
def test_an_integer_may_be_written_with_a_point(system, two):
    body = json.dumps(order()).replace('"quantity": 1', f'"quantity": {two}').encode()
    assert system.client().post("/api/orders", body).expect(201)["items"][0]["quantity"] == 2


# Bodies

TYPES = ["application/json; charset=utf-8", "application/json;charset=UTF-8", 'application/json; charset="utf-8"', "application/json; charset=utf8",
         "Application/JSON; Charset=UTF8", "application/json ; charset = utf-8", 'application/json; charset="UTF8"; x=y', "application/json;charset=us-ascii"]


@pytest.mark.parametrize("content_type", TYPES)
def test_utf8_has_many_names(system, content_type):
    system.client().post("/api/orders", json.dumps(order()).encode(), {"Content-Type": content_type}).expect(201)


@pytest.mark.parametrize("content_type,part", [("application/json; charset=latin1", "latin1"), ("application/json; charset=utf-16", "utf-16"),
                                               ("text/json", "text/json"), ("", "application/json")])
def test_another_type_is_named(system, content_type, part):
    detail = system.client().post("/api/orders", json.dumps(order()).encode(), {"Content-Type": content_type}).problem(415, "unsupported-media-type")["detail"]
    assert part in detail, detail


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
def test_a_compressed_body_is_told_what_is_taken(system, coding):
    answer = system.client().post("/api/orders", b"\x1f\x8b", JSON | {"Content-Encoding": coding})
    assert coding in answer.problem(415, "unsupported-media-type")["detail"]
    assert answer.headers["accept-encoding"] == "identity"
    plain = system.client().post("/api/orders", b"a=1", {"Content-Type": "text/plain"})
    assert plain.status == 415 and "accept-encoding" not in plain.headers


def test_a_byte_order_mark_is_skipped(system):
    system.client().post("/api/orders", BOM + json.dumps(order()).encode()).expect(201)
    lines = b"\r\n".join(json.dumps(order() | {"idempotencyKey": uuid.uuid4().hex}).encode() for _ in range(3))
    answer = system.client().post("/api/orders/bulk", BOM + lines + b"\r\n\r\n", {"Content-Type": "application/x-ndjson; charset=utf8"})
    assert [json.loads(line)["status"] for line in answer.body.splitlines()] == [201] * 3
    items = b"\n".join(json.dumps({"sku": f"F-{uuid.uuid4().hex[:9]}", "name": "x"}).encode() for _ in range(2))
    answer = system.client("inventory").post("/api/inventory/items/bulk", BOM + items, {"Content-Type": "application/x-ndjson"})
    assert [json.loads(line)["status"] for line in answer.body.splitlines()] == [201] * 2


BROKEN = [(b'{"a": 1,}', "line 1, column 9"), (b'{\r\n  "a": 1\r\n  "b": 2}', "line 3, column 3"), (b"{'a': 1}", "line 1, column 2"),
          (b'{"a": "x\ny"}', "line 1, column 9"), (b'{"a": tru}', "line 1, column 7"), (b'{"a": 1', "line 1, column 8"),
          ('{"\u00e9\u00e9": x}'.encode(), "line 1, column 8"), (b'{"a":1, "a":2}', "'a'"), (b" ", "empty")]


@pytest.mark.parametrize("body,part", BROKEN, ids=[row[1] + " " + str(place) for place, row in enumerate(BROKEN)])
def test_broken_json_is_told_where(system, body, part):
    assert part in system.client().post("/api/orders", body).problem(400, "malformed-request")["detail"]


# Queries

LISTS = [("order", "/api/orders", ["status", "customerId", "externalRef", "createdFrom", "createdTo", "limit", "cursor"]),
         ("order", "/api/sagas", ["status", "type", "orderId", "limit", "cursor"]),
         ("order", "/api/customers", ["email", "name", "limit", "cursor"]),
         ("inventory", "/api/inventory/items", ["category", "lowStock", "q", "limit", "cursor"]),
         ("inventory", "/api/inventory/reservations", ["orderId", "sku", "status", "limit", "cursor"]),
         ("relay", "/api/relay/events", ["state", "limit", "cursor"])]


@pytest.mark.parametrize("service,path,names", LISTS, ids=[row[1] for row in LISTS])
def test_an_empty_filter_is_no_filter(system, service, path, names):
    client = system.client(service)
    for query in [f"{name}=" for name in names] + ["&".join(f"{name}=" for name in names)]:
        client.get(f"{path}?{query}").expect(200)


def test_a_status_may_be_in_small_letters(system):
    system.shop.place_confirmed((system.shop.new_sku(5), 1))
    for path in ("/api/orders?status=", "/api/sagas?status="):
        word = "confirmed" if "orders" in path else "completed"
        small, large = (system.client().get(f"{path}{spelling}&limit=5").expect(200)["items"] for spelling in (word, word.upper()))
        assert small and small == large
    assert system.client("inventory").get("/api/inventory/reservations?status=reserved").expect(200)["items"]


@pytest.mark.parametrize("limit", ["50", "+50", "%2B50", "050"])
def test_a_limit_may_have_a_sign(system, limit):
    system.client().get(f"/api/orders?limit={limit}").expect(200)


def test_a_time_has_the_forms_of_people(system):
    customer = new_customer()
    placed_at = system.client().post("/api/orders", order(customerId=customer)).expect(201)["createdAt"]
    day = placed_at[:10]
    def found(**query):
        return len(system.client().get("/api/orders?" + urllib.parse.urlencode({"customerId": customer} | query, safe="+ ")
                                       .replace(" ", "%20")).expect(200)["items"])
    assert found(createdFrom=day) == 1 and found(createdTo=day) == 0
    assert found(createdFrom=f"{day}T00:00:00+00:00") == 1  # the + is a blank when it arrives
    assert found(createdFrom=f"{day}T00:00:00 00:00") == 1
    assert found(createdFrom="2016-12-31T23:59:60Z") == 1
    assert found(createdFrom=placed_at, createdTo=placed_at) == 0


@pytest.mark.parametrize("time", ["30.11.2026", "2026-11-30T10:00:00", "2026-13-01", "now", "1764500000"])
def test_a_time_that_is_none_is_told_the_form(system, time):
    assert "2026-11-30" in fault_of(system.client().get(f"/api/orders?createdFrom={time}"))["detail"]


def test_a_range_has_its_beginning_first(system):
    assert fault_of(system.client().get("/api/orders?createdFrom=2026-11-30&createdTo=2026-11-29"))["pointer"] == "createdTo"


@pytest.mark.parametrize("query,part", [("stauts=PENDING", "did you mean status?"), ("colour=red", "known are status, customerId"),
                                        ("status=LOST", "PENDING, CONFIRMED, PROCESSING, SHIPPED, DELIVERED or CANCELLED"),
                                        ("cursor=next", "nextCursor"), ("customerId=" + 65 * "x", "64"), ("limit=ten", "between 1 and 500")])
def test_a_wrong_query_is_told_what_is_right(system, query, part):
    assert part in fault_of(system.client().get(f"/api/orders?{query}"))["detail"]


def test_a_call_without_parameters_says_so(system):
    assert "no query parameters" in fault_of(system.client().get(f"/api/sagas/{uuid.uuid4()}?x=1"))["detail"]


# Words in any alphabet

WORDS = [("\u00c4rmel", "\u00e4RMEL"), ("\u0427\u0435\u0440\u0432\u043e\u043d\u0438\u0439", "\u0447\u0415\u0420\u0432\u041e\u041d"),
         ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"), ("50% [x]*? \\ (a|b)_", "[X]*? \\ (A|B)_"), ("K\u00f6ln", "\u212a\u00d6L"), (THAI + "9", THAI.strip())]


@pytest.mark.parametrize("name,words", WORDS, ids=[str(place) for place in range(len(WORDS))])
def test_words_are_found_whatever_their_case(system, name, words):
    sku = new_item(system, name=name).expect(201)["sku"]
    for asked in (name, words, f" {words} "):
        found = system.client("inventory").get("/api/inventory/items?limit=500&q=" + urllib.parse.quote(asked)).expect(200)["items"]
        assert [item["sku"] for item in found if item["name"] == name.strip()].count(sku) == 1, asked
    assert not system.client("inventory").get("/api/inventory/items?q=" + urllib.parse.quote(words + "~")).expect(200)["items"]


# Addresses and currencies

@pytest.mark.parametrize("country", ["HK", "AE", "QA", "JM", "IE", "XK"])
@pytest.mark.parametrize("code", ["absent", "", None, " "], ids=repr)
def test_a_country_without_postal_codes_needs_none(system, country, code):
    address = {"line1": "1 Queen's Road", "city": "Central", "country": country} | ({} if code == "absent" else {"postalCode": code})
    assert "postalCode" not in read_back(system, order(shippingAddress=address))["shippingAddress"]


def test_the_contract_lists_what_the_address_of_a_country_needs(system):
    """Each code of two letters, in an order that is refused for its total in any case."""
    schema = contract_of("order").whole["components"]["schemas"]["Address"]
    needing = set(schema["if"]["properties"]["country"]["enum"])
    with_region = set(schema["then"]["if"]["properties"]["country"]["enum"])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    client, known, found, regions = system.client(), set(), set(), set()
    for country in (one + other for one in letters for other in letters):
        body = order(totalAmount=1, shippingAddress={"line1": "1", "city": "C", "country": country})
        faults = {fault["pointer"] for fault in client.post("/api/orders", body).problem(422, "invalid-request")["errors"]}
        if "/shippingAddress/country" not in faults:
            known.add(country)
        if "/shippingAddress/postalCode" in faults:
            found.add(country)
        if "/shippingAddress/region" in faults:
            regions.add(country)
    assert len(known) == 250 and found == needing and regions == with_region


@pytest.mark.parametrize("currency", ["HRK", "DEM", "EEK", "ZMK"])
def test_a_retired_currency_can_be_imported(system, currency):
    assert read_back(system, order(currency=currency))["currency"] == currency


# Messages that teach

UNKNOWN = [({"customer_id": CUSTOMER}, "/customer_id", "did you mean customerId?"), ({"curency": "GBP"}, "/curency", "did you mean currency?"),
           ({"metaData": {}}, "/metaData", "did you mean metadata?"), ({"colour": 1}, "/colour", "is not known here")]


@pytest.mark.parametrize("members,pointer,part", UNKNOWN, ids=[row[1] for row in UNKNOWN])
def test_an_unknown_member_is_told_what_was_meant(system, members, pointer, part):
    meant = {"customer_id": "customerId", "curency": "currency"}.get(next(iter(members)))
    body = {name: value for name, value in order().items() if name != meant} | members
    faults = {fault["pointer"]: fault for fault in system.client().post("/api/orders", body).problem(422, "invalid-request")["errors"]}
    assert part in faults[pointer]["detail"] and faults[pointer]["code"] == "unknown"


TEACHING = [("currency", "gbp", "in capitals, such as GBP"), ("currency", "\u00a3", "such as GBP"), ("customerId", 65 * "x", "64"), ("customerId", 42, "a string"),
            ("shippingAddress", ADDRESS | {"country": "United Kingdom"}, "ISO 3166-1 alpha-2"), ("shippingAddress", ADDRESS | {"country": "UK"}, "such as GB"),
            ("shippingAmount", 4.95, "1999 for 19.99"), ("shippingAmount", "4.95", "1999 for 19.99"), ("totalAmount", 1, "come to 250")]


@pytest.mark.parametrize("name,value,part", TEACHING, ids=[f"{row[0]} {place}" for place, row in enumerate(TEACHING)])
def test_a_wrong_value_is_told_what_is_right(system, name, value, part):
    assert part in fault_of(system.client().post("/api/orders", order() | {name: value}))["detail"]


def test_a_refused_step_says_what_is_possible(system):
    order_id = system.shop.place_confirmed((system.shop.new_sku(5), 1))["id"]
    path = f"/api/orders/{order_id}"
    client = system.client()
    refused = client.post(f"{path}/ship", {}).problem(409, "illegal-transition")["detail"]
    assert "CONFIRMED" in refused and "processed or cancelled" in refused
    for action in ("process", "ship"):
        client.post(f"{path}/{action}").expect(200)
    assert "it can be delivered" in client.post(f"{path}/cancel").problem(409, "illegal-transition")["detail"]
    client.post(f"{path}/deliver").expect(200)
    assert "end of its life" in client.call("DELETE", path).problem(409, "illegal-transition")["detail"]
    stale = client.post(f"{path}/cancel", {}, {"If-Match": '"2"'}).problem(412, "precondition-failed")["detail"]
    assert "version 5" in stale


PATHS = [("order", "/api/order", "did you mean /api/orders?"), ("order", "/api/inventory/items", "inventory-service"),
         ("order", "/orders", "api"), ("inventory", "/api/inventory/items/F-1/adjust", "did you mean /api/inventory/items/{sku}/adjustments?"),
         ("inventory", "/api/inventory/items/F-1/ledger", "adjustments and movements"), ("relay", "/api/relay/state", "did you mean /api/relay/status?")]


@pytest.mark.parametrize("service,path,part", PATHS, ids=[row[1] for row in PATHS])
def test_a_wrong_path_is_told_the_right_one(system, service, path, part):
    detail = system.client(service).get(path).problem(404, "not-found")["detail"]
    assert part in detail, detail


def test_a_count_is_not_patched(system):
    sku = new_item(system).expect(201)["sku"]
    assert "adjustments" in fault_of(system.client("inventory").call("PATCH", f"/api/inventory/items/{sku}", {"onHand": 7}))["detail"]


# Repeats and waits

def test_delete_repeated_answers_as_before(system):
    order_id = system.shop.place_confirmed((system.shop.new_sku(5), 1))["id"]
    client, path = system.client(), f"/api/orders/{order_id}"
    first = client.call("DELETE", path).expect(200)
    assert first["status"] == "CANCELLED"
    assert client.call("DELETE", path).expect(200) == first
    client.post(f"{path}/cancel").problem(409, "illegal-transition")  # the action itself is a change


def test_get_waits_as_post_does(system):
    client = system.client()
    order_id = client.post("/api/orders", order_body((system.shop.new_sku(5), 1))).expect(201)["id"]
    answer = client.get(f"/api/orders/{order_id}?wait=confirmed&timeout=5")
    assert answer.expect(200)["status"] == "CONFIRMED" and answer.headers["etag"] == '"2"'
    assert client.get(f"/api/orders/{order_id}?wait=confirmed").expect(200)["status"] == "CONFIRMED"
    client.get(f"/api/orders/{uuid.uuid4()}?wait=confirmed").problem(404, "not-found")
    assert fault_of(client.get(f"/api/orders/{order_id}?wait=confirmed&timeout=9"))["pointer"] == "timeout"
    assert fault_of(client.post("/api/orders?wait=confirmed&timeout=0", order()))["pointer"] == "timeout"


def test_five_hundred_skus_of_any_length_can_be_asked(system):
    shop, client = system.shop, system.client("inventory")
    known = shop.new_sku(5)
    skus = [known] + [f"F-{place:03}-" + "x" * 58 for place in range(499)]
    answer = client.post("/api/inventory/availability", {"skus": skus}).expect(200)
    assert [item["sku"] for item in answer["items"]] == [known] and answer["unknown"] == sorted(skus[1:])
    assert client.post("/api/inventory/availability", {"skus": [known, known]}).expect(200) == client.get(
        f"/api/inventory/availability?sku={known}&sku={known}").expect(200)
    for bad, pointer in (([], "/skus"), (skus + ["one-more"], "/skus"), (["?"], "/skus/0"), ([known, 7], "/skus/1"), ("x", "/skus")):
        assert fault_of(client.post("/api/inventory/availability", {"skus": bad}))["pointer"] == pointer


def test_the_largest_order_may_be_escaped(system):
    """2,000 lines with names of 200 characters beyond the basic plane, each twelve bytes long in JSON."""
    lines = [{"sku": f"F-{number}", "name": "\U0001F600" * 200, "quantity": 1, "unitAmount": 1} for number in range(2_000)]
    body = json.dumps(order(items=lines))
    assert len(body) > 4_900_000 and body.isascii()
    created = system.client().call("POST", "/api/orders", body.encode(), JSON).expect(201)
    assert created["items"][1_999]["name"] == "\U0001F600" * 200
    head = "POST /api/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n"
    assert "8388608 bytes" in send_raw(system.ports["order"], head.encode()).problem(413, "too-large")["detail"]
