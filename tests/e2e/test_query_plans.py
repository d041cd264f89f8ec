"""No list of orders reads more of the tables than a page needs, as PostgreSQL itself counts it."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.parse

import pytest

from cluster import ROOT, Servers
from databases import psql
from harness import Program

ORDERS = 30_000
PAGE = 20
# Rows that a query may touch for a page of 20: some for each order of the page, and what a filter of two conditions passes over.
TOUCHED_MAX = 1_500
EXPLAIN = {"session_preload_libraries": "auto_explain", "auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on",
           "auto_explain.log_timing": "off", "auto_explain.log_format": "json"}


class Plans:
    """A program with many orders, and the plans of what it asks."""

    def __init__(self, folder):
        self.servers = Servers(folder / "servers").up("postgres")
        server = re.search(r"TRACKOPS_TEST_POSTGRES=(\S+)", self.servers.run("env", "postgres"))[1]
        for name in ("orders", "inventory"):
            psql(server, f"CREATE DATABASE {name}")
        self.database = urllib.parse.urlsplit(server)._replace(path="/orders").geturl()
        self.explained = self.database + "?options=" + urllib.parse.quote(" ".join(f"-c {name}={value}" for name, value in EXPLAIN.items()))
        self.program = Program(folder, self.explained, urllib.parse.urlsplit(server)._replace(path="/inventory").geturl())
        self.log = folder / "servers/postgres/log"
        self.program.start()
        self.fill()
        self.client = self.program.client()

    def fill(self):
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-v", f"orders={ORDERS}", "-f", ROOT / "bench/load/orders.sql", self.database],
                       check=True, timeout=120)
        # A few orders of which a rare filter is true; the oldest ones, which a walk from the newest would find last.
        rare = "(SELECT id FROM orders ORDER BY id LIMIT 3)"
        psql(self.database, f"UPDATE order_items SET sku = 'RARE' WHERE line = 1 AND order_id IN {rare}")
        psql(self.database, f"UPDATE orders SET external_ref = 'WEB-1', customer_id = 'rare' WHERE id IN {rare}")
        psql(self.database, f"UPDATE saga_instances SET status = 'BLOCKED', finished_at = NULL WHERE order_id IN {rare}")
        psql(self.database, "ANALYZE")
        self.customer = "0190a6de-1f3b-7c55-9f4e-000000000005"
        self.hour_ago = psql(self.database, "COPY (SELECT to_char(now() - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')) TO STDOUT").strip()
        self.some = psql(self.database, "COPY (SELECT id FROM orders OFFSET 777 LIMIT 1) TO STDOUT").strip()

    def of(self, path):
        """The answer, and each query on the tables of orders with its plan, while nobody else asks any."""
        began = self.log.stat().st_size
        answer = self.client.get(path).expect(200)
        return answer, self.since(began)

    def since(self, began):
        """[(query, plan)]: what the server has logged behind a place in its log."""
        pieces = re.split(r"LOG:  duration: [0-9.]+ ms  plan:\n", self.log.read_bytes()[began:].decode(errors="replace"))
        logged = [json.JSONDecoder().raw_decode(piece.lstrip())[0] for piece in pieces[1:]]
        return [(each["Query Text"], each["Plan"]) for each in logged
                if re.search(r"FROM (orders|order_items|order_history|saga_instances)\b", each["Query Text"])]

    def end(self):
        self.program.end()
        self.servers.run("wipe")


@pytest.fixture(scope="module")
def plans():
    # Not pytest's folder, which only its owner may enter: PostgreSQL runs as another user when we are root.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="trackops-plans-"))
    folder.chmod(0o755)
    (folder / "servers").mkdir()
    its = Plans(folder)
    yield its
    its.end()
    shutil.rmtree(folder)


def touched(node):
    """Rows that the scans of a plan have read from tables and indexes."""
    own = 0
    if "Scan" in node["Node Type"] and "Relation Name" in node:
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        own = rows * node["Actual Loops"]
    return own + sum(touched(child) for child in node.get("Plans", []))


def touch_at_most(rows_max, found):
    for text, plan in found:
        assert touched(plan) <= rows_max, f"{text}\n{json.dumps(plan, indent=1)}"


LISTS = ["", "sku=SKU-7", "sku=RARE", "sku=NONE", "customerId={customer}", "customerId=rare", "customerId=nobody", "externalRef=WEB-1", "externalRef=none",
         "createdFrom={hour_ago}", "createdTo={hour_ago}", "updatedFrom={hour_ago}", "sort=updatedAt", "stuck=true", "status=CONFIRMED",
         "status=CONFIRMED,CANCELLED&sku=RARE", "status=PENDING&sku=RARE", "customerId=rare&status=CONFIRMED", "view=summary&sku=SKU-7",
         "stuck=true&sku=RARE", "customerId=rare&sort=updatedAt&updatedFrom={hour_ago}"]


@pytest.mark.parametrize("query", LISTS)
def test_a_page_of_orders_touches_few_rows(plans, query):
    path = f"/api/orders?limit={PAGE}&" + query.format(customer=plans.customer, hour_ago=plans.hour_ago)
    page, found = plans.of(path)
    assert found
    if page.get("nextCursor"):
        found += plans.of(path + "&cursor=" + page["nextCursor"])[1]
    touch_at_most(TOUCHED_MAX, found)


@pytest.mark.parametrize("path", ["/api/orders/{some}", "/api/orders/{some}/timeline", "/api/sagas?orderId={some}", "/api/sagas?status=BLOCKED", "/api/sagas?status=RUNNING"])
def test_what_is_about_few_orders_touches_few_rows(plans, path):
    _, found = plans.of(path.format(some=plans.some))
    assert found
    touch_at_most(100, found)


def test_the_count_sees_a_scan_of_a_table(plans):
    began = plans.log.stat().st_size
    psql(plans.explained, "SELECT id FROM orders WHERE carrier = 'none'")
    plan, = (plan for text, plan in plans.since(began) if "carrier = 'none'" in text)
    assert touched(plan) >= ORDERS
