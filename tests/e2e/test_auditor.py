"""Two databases on a real PostgreSQL, corrupted by hand in seven ways: the auditors of the running services find each, and so does `trackops verify`."""
import json
import re

import pytest

from cluster import BROKEN, Cluster, shop
from databases import psql
from harness import wait_until

EXIT_BROKEN = 3
SECOND_LOOK = "--second-look=1s"


@pytest.fixture
def cluster(servers, tmp_path):
    its = Cluster(servers.up(), tmp_path)
    yield its
    its.end()


def complete_passes(*processes):
    """Waits for a pass of each that began after this call."""
    def passes():
        return [process.samples("trackops_audit_passes_total")[""] for process in processes]
    before = passes()
    wait_until(lambda: all(now >= then + 2 for now, then in zip(passes(), before)), 90, "two passes of each auditor")


def told(process):
    """{(invariant, subject): evidence} of its log."""
    lines = [json.loads(line) for line in process.log.read_text().splitlines() if BROKEN in line]
    return {(line["invariant"], line["subject"]): line["evidence"] for line in lines}


class Corruption:
    def __init__(self, where, statement, *found, only_verify=()):
        self.where, self.statement = where, statement
        self.found = set(found)  # (invariant, subject), by the auditor and by verify
        self.only_verify = set(only_verify)


def corruptions(its):
    """Each on an order and a SKU of its own, which nothing else touches."""
    confirmed = []
    for _ in range(7):
        sku = its.new_sku(10)
        confirmed.append((its.place_confirmed((sku, 2))["id"], sku))
    _, sku = confirmed.pop()
    yield Corruption("inventory", f"UPDATE inventory_items SET reserved = reserved + 1 WHERE sku = '{sku}'",
                     ("reservations_account_for_stock", sku))
    _, sku = confirmed.pop()
    yield Corruption("inventory", f"UPDATE inventory_items SET on_hand = on_hand + 5 WHERE sku = '{sku}'",
                     ("on_hand_is_what_the_ledger_says", sku))
    order, sku = confirmed.pop()
    its.change(order, "cancel").expect(200)
    its.saga_becomes(order, "ORDER_CANCELLATION", "COMPLETED")
    yield Corruption("inventory", f"UPDATE inventory_reservations SET status = 'RESERVED' WHERE order_id = '{order}'",
                     ("reservations_account_for_stock", sku), only_verify=[("order_and_reservation_agree", order)])
    order, _ = confirmed.pop()
    yield Corruption("order", f"UPDATE orders SET status = 'PROCESSING' WHERE id = '{order}'", ("order_is_where_its_history_ends", order))
    order, _ = confirmed.pop()
    yield Corruption("order", f"UPDATE saga_instances SET status = 'COMPENSATED' WHERE order_id = '{order}'", ("sagas_agree_with_their_order", order))
    order, _ = confirmed.pop()
    yield Corruption("order", f"UPDATE orders SET total_amount = total_amount - 1 WHERE id = '{order}'", ("total_is_the_sum_of_the_lines", order))
    order, _ = confirmed.pop()
    its.change(order, "process").expect(200)
    yield Corruption("order", f"DELETE FROM outbox_events WHERE aggregate_id = '{order}' AND sequence = 2",
                     only_verify=[("events_are_numbered_without_gap", order)])


def test_auditors_and_verify_find_what_was_corrupted_by_hand_and_nothing_before(cluster):
    orders, inventory, _ = cluster.start("order", "inventory", "relay")
    all_of_it = list(corruptions(shop(cluster.processes)))
    cluster.check()

    complete_passes(orders, inventory)
    for process in (orders, inventory):
        assert len(process.violations()) > 5
        assert set(process.violations().values()) == {0}, process.violations()
        assert told(process) == {}
    before = cluster.verify("--at-rest", SECOND_LOOK)
    assert before.returncode == 0, before.stdout + before.stderr

    for one in all_of_it:
        psql(cluster.order_database if one.where == "order" else cluster.inventory_database, one.statement)

    for process in (orders, inventory):
        wanted = set().union(*(one.found for one in all_of_it if one.where == process.kind))
        wait_until(lambda: told(process).keys() >= wanted, 90, f"{wanted} being found")
        assert told(process).keys() == wanted
        assert all(told(process).values()), "no evidence"
        counted = {name for name, count in process.violations().items() if count > 0}
        assert counted == {invariant for invariant, _ in wanted}
    after = cluster.verify(SECOND_LOOK)
    assert after.returncode == EXIT_BROKEN, after.stdout + after.stderr
    for one in all_of_it:
        for invariant, subject in one.found | one.only_verify:
            assert re.search(rf"^  {invariant} +\d+ +[1-9](\n {{6}}.*)*\n {{6}}{subject}: \S", after.stdout, re.MULTILINE), f"{invariant} {subject}\n{after.stdout}"
