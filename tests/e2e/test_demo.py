"""The demo data through `trackops load`: the first events by default, all of them with TRACKOPS_DEMO=all."""
import json
import lzma
import os
import subprocess

from harness import PROGRAM, ROOT, Shop

EVENTS = 500
WHOLE = os.environ.get("TRACKOPS_DEMO") == "all"


def demo_lines(name, most=None):
    with lzma.open(ROOT / "demo" / name, "rt", encoding="utf-8") as packed:
        return [line for number, line in enumerate(packed) if most is None or number < most]


def load(program, folder, lines, *more):
    """The report of `trackops load`, which must say that all went well."""
    report = folder / "report.json"
    arguments = [PROGRAM, "load", "-", "--order-url", f"http://127.0.0.1:{program.ports['order']}", "--inventory-url",
                 f"http://127.0.0.1:{program.ports['inventory']}", "--report", str(report), *more]
    done = subprocess.run(arguments, input="".join(lines), capture_output=True, text=True, check=False, timeout=3000)
    print(done.stdout)
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr[-2000:]}"
    return json.loads(report.read_text())


def test_real_orders_end_confirmed_or_cancelled_and_stock_is_exact(program, tmp_path, stock_adds_up):
    shop = Shop(program.start())
    stock = demo_lines("stock.ndjson.xz")
    loaded = load(program, tmp_path, stock, "--items")
    assert loaded["items"] == {"asked": len(stock), "done": len(stock), "failed": 0, "refused": {}}

    events = [json.loads(line) for line in demo_lines("orders.ndjson.xz", None if WHOLE else EVENTS)]
    kinds = [next(iter(event)) for event in events]
    report = load(program, tmp_path, (json.dumps(event) + "\n" for event in events))

    orders = kinds.count("order")
    assert report["orders"] == {"asked": orders, "done": orders, "failed": 0, "refused": {}}
    assert report["adjustments"] == {"asked": kinds.count("adjust"), "done": kinds.count("adjust"), "failed": 0, "refused": {}}
    assert report["cancels"]["asked"] == kinds.count("cancel")
    # A cancel is refused only where stock had run out before the customer changed their mind.
    assert report["cancels"]["done"] + report["cancels"]["refused"].get("illegal-transition", 0) == kinds.count("cancel")
    assert sum(report["notSent"].values()) == kinds.count("refused")
    assert (report["unreadable"], report["pending"], report["lost"], report["replayed"]) == (0, 0, 0, 0)
    assert set(report["cancelled"]) <= {"OUT_OF_STOCK", "CUSTOMER_REQUEST"}
    assert report["confirmed"] + sum(report["cancelled"].values()) == orders
    assert report["confirmed"] > 0.8 * orders

    shop.comes_to_rest()
    found = shop.everything("/api/orders?limit=500")
    assert len(found) == orders
    assert sum(order["status"] == "CONFIRMED" for order in found) == report["confirmed"]
    stock_adds_up(program)


def test_loading_the_same_orders_again_places_none_twice(program, tmp_path):
    shop = Shop(program.start())
    load(program, tmp_path, demo_lines("stock.ndjson.xz"), "--items")
    events = [line for line in demo_lines("orders.ndjson.xz", 60) if line.startswith('{"order"')]
    first, second = load(program, tmp_path, events), load(program, tmp_path, events)
    assert (first["replayed"], second["replayed"]) == (0, len(events))
    assert len(shop.everything("/api/orders?limit=500")) == len(events)
