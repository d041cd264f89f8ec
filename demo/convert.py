#!/usr/bin/env python3
"""Turns the "Online Retail" data set into what `trackops load` replays: orders.ndjson.xz and stock.ndjson.xz.

    demo/convert.py online-retail.csv.xz [FOLDER]        (Python 3.11, standard library; the same bytes in every run)

Source: "Online Retail" (Daqing Chen, Sai Liang Sain, Kun Guo, 2012; also in the UCI Machine Learning Repository), in the form of
the R package `onlineretail` 0.1.2, whose DESCRIPTION states CC0 with the donor's permission. 541,909 lines, 25,900 invoices.
Columns: invoice_no, stock_code, description, quantity, invoiced_at (UTC), unit_price_gbp, customer_id (may be empty), country.

The conversion. Each of the 25,900 invoices leaves at least one event, and nothing is dropped without one:
  a sale line           quantity and price above 0, no leading C. POST and DOT are summed into shippingAmount, goods become items.
  an order              the sale lines of one invoice, if one of them is goods.
  a refused line        what is no goods (M, C2, BANK CHARGES, ...), has a price that is not in whole pence, or is no sale (quantity or
                        price of 0 and below): {"refused": {externalRef, sku, reason}}; the rest of the invoice stands.
  a refused invoice     when no goods are left: {"refused": {externalRef, reason}}.
  a cancellation        a C invoice whose lines are, as a multiset of (stock code, quantity), the sale lines of an earlier invoice of
                        the same known customer that no other C invoice cancelled; the price is not compared (a refund may differ
                        from it). 145 invoices. Where that earlier invoice was refused as an order, so is its cancellation.
  a return              each goods line of the other C invoices: {"adjust": {sku, delta, reason: RETURN, key}}.
Dropped: the descriptions of single lines (stock.ndjson keeps one name a SKU) and the times (the order of lines keeps their sequence).
Invented: there is no street in the source, so each address has a placeholder line, and the country's name stands for the city.
Customers are UUIDs made from customer_id; a guest's is made from the invoice number.
"""
import collections
import csv
import decimal
import io
import json
import lzma
import pathlib
import re
import sys
import uuid

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://archive.ics.uci.edu/dataset/352/online+retail")
SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/:-]{0,63}")
SHIPPING = {"POST", "DOT"}
NOT_GOODS = {
    "A": "a debt correction is no order",
    "AMAZONFEE": "a fee of a market place is no goods",
    "B": "a debt correction is no order",
    "BANK CHARGES": "bank charges are no goods",
    "C2": "a carriage charge by hand is no goods",
    "CRUK": "a commission to a charity is no goods",
    "D": "a discount is no goods",
    "M": "a manual entry is no goods",
    "m": "a manual entry is no goods",
    "S": "samples sent out are no goods",
}
STOCK_SHARE_PERCENT = 97  # of what was sold: a little less, so that shortage is real

COUNTRIES = {
    "Australia": "AU", "Austria": "AT", "Bahrain": "BH", "Belgium": "BE", "Brazil": "BR", "Canada": "CA", "Cyprus": "CY",
    "Czech Republic": "CZ", "Denmark": "DK", "Finland": "FI", "France": "FR", "Germany": "DE", "Greece": "GR",
    "Hong Kong": "HK", "Iceland": "IS", "Israel": "IL", "Italy": "IT", "Japan": "JP", "Lebanon": "LB", "Lithuania": "LT",
    "Malta": "MT", "Netherlands": "NL", "Norway": "NO", "Poland": "PL", "Portugal": "PT", "Saudi Arabia": "SA",
    "Singapore": "SG", "Spain": "ES", "Sweden": "SE", "Switzerland": "CH", "United Arab Emirates": "AE",
    "United Kingdom": "GB",
    "EIRE": "IE",  # the Irish name of Ireland
    "RSA": "ZA",  # Republic of South Africa
    "USA": "US",
}
# No country of ISO 3166-1: the nearest that is one, with the source's word kept as the region.
PLACES = {
    "Channel Islands": "JE",  # Jersey and Guernsey have codes of their own; Jersey is the larger
    "European Community": "GB",  # which country is not known: the seller's own, a member at that time
    "Unspecified": "GB",
}

# The source has no addresses. These stand for them where a country's addresses need a postal code, or a region.
POSTAL_CODES = {
    "AT": "1010", "AU": "2060", "BE": "4000", "BR": "40301-110", "CA": "K1A 0B1", "CH": "8001", "CZ": "100 00", "DE": "10115", "DK": "1566",
    "ES": "28039", "FI": "00550", "FR": "33380", "GB": "SW1Y 4JH", "GR": "151 24", "IT": "00144", "JE": "JE1 1AA", "JP": "154-0023",
    "LT": "LT-04340", "NL": "1234 AB", "NO": "0107", "PL": "00-950", "PT": "1250-096", "SE": "114 55", "SG": "546080", "US": "95014",
    "ZA": "0083",
}
REGIONS = {"AU": "New South Wales", "BR": "Bahia", "CA": "Ontario", "US": "California"}


class Line:
    def __init__(self, row):
        self.sku = row["stock_code"]
        self.name = row["description"]
        self.quantity = int(row["quantity"])
        self.price = decimal.Decimal(row["unit_price_gbp"])

    def is_sale(self):
        return self.quantity > 0 and self.price > 0

    def pence(self):
        return int(self.price * 100)

    def refusal(self):
        """Why a sale line cannot stand in an order, or None."""
        if not self.is_sale():
            return "a stock correction (quantity of 0 or below) is no sale" if self.quantity <= 0 else "a line without a price is no sale"
        return self.refusal_as_goods() or (None if (self.price * 100) % 1 == 0 else "the price is not in whole pence")

    def refusal_as_goods(self):
        if self.sku in NOT_GOODS:
            return NOT_GOODS[self.sku]
        return None if SKU.fullmatch(self.sku) else "the stock code is no SKU"


class Invoice:
    def __init__(self, number, row):
        self.number = number
        self.at = row["invoiced_at"]
        self.customer = row["customer_id"]
        self.country = row["country"]
        self.lines = []

    def is_credit(self):
        return self.number.startswith("C")

    def content(self):
        """What a cancellation must equal; blind to what is no sale."""
        lines = self.lines if self.is_credit() else [line for line in self.lines if line.is_sale()]
        return tuple(sorted((line.sku, abs(line.quantity)) for line in lines))


def read_invoices(path):
    """In their real sequence: time (to the minute), then number as text, so that a credit follows the sales of its minute."""
    invoices = {}
    with lzma.open(path) as packed:
        for row in csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline="")):
            number = row["invoice_no"]
            invoices.setdefault(number, Invoice(number, row)).lines.append(Line(row))
    return sorted(invoices.values(), key=lambda invoice: (invoice.at, invoice.number))


def address(country):
    code = PLACES.get(country) or COUNTRIES[country]
    place = {"line1": "Street not in the source", "city": country}
    if code in POSTAL_CODES:
        place["postalCode"] = POSTAL_CODES[code]
    if country in PLACES or code in REGIONS:
        place["region"] = REGIONS.get(code, country)
    return place | {"country": code}


def order_of(invoice, goods, shipping):
    who = f"customer:{invoice.customer}" if invoice.customer else f"guest:{invoice.number}"
    order = {"externalRef": invoice.number, "customerId": str(uuid.uuid5(NAMESPACE, who)), "currency": "GBP"}
    if shipping:
        order["shippingAmount"] = shipping
    order["items"] = [{"sku": line.sku, "quantity": line.quantity, "unitAmount": line.pence()} for line in goods]
    order["shippingAddress"] = address(invoice.country)
    return order


class Conversion:
    """Walks the invoices in their sequence; `events` is what came of them."""

    def __init__(self):
        self.events = []
        self.open = collections.defaultdict(list)  # (customer, content) -> invoices not cancelled so far
        self.orders = {}  # number -> goods lines
        self.cancellations = 0

    def refuse(self, invoice, reason, sku=None):
        body = {"externalRef": invoice.number} | ({"sku": sku} if sku else {}) | {"reason": reason}
        self.events.append({"refused": body})

    def take(self, invoice):
        if invoice.is_credit():
            self.take_credit(invoice)
        else:
            self.take_sale(invoice)

    def take_sale(self, invoice):
        goods, shipping = [], 0
        for line in invoice.lines:
            reason = NOT_GOODS["A"] if invoice.number.startswith("A") else line.refusal()
            if reason:
                self.refuse(invoice, reason, line.sku)
            elif line.sku in SHIPPING:
                shipping += line.quantity * line.pence()
            else:
                goods.append(line)
        if invoice.customer and invoice.content():
            self.open[invoice.customer, invoice.content()].append(invoice)
        if not goods:
            self.refuse(invoice, "no goods are left to order")
            return
        self.orders[invoice.number] = goods
        self.events.append({"order": order_of(invoice, goods, shipping)})

    def take_credit(self, invoice):
        earlier = self.open[invoice.customer, invoice.content()] if invoice.customer else []
        if earlier:
            self.cancellations += 1
            number = earlier.pop().number
            if number in self.orders:
                self.events.append({"cancel": {"externalRef": number, "reason": "CUSTOMER_REQUEST"}})
            else:
                self.refuse(invoice, "the invoice it cancels was no order")
            return
        for place, line in enumerate(invoice.lines, start=1):
            reason = "carriage is no goods" if line.sku in SHIPPING else line.refusal_as_goods()
            if reason:
                self.refuse(invoice, reason, line.sku)
            else:
                key = f"{invoice.number}-{place}"
                body = {"sku": line.sku, "delta": -line.quantity, "reason": "RETURN", "key": key}
                self.events.append({"adjust": body})


def refuse_unknown_returns(events, stock):
    """A return of what was never sold has no item that it could go to."""
    for event in events:
        if "adjust" in event and event["adjust"]["sku"] not in stock:
            number = event["adjust"]["key"].split("-")[0]
            reason = "nothing was ever sold under this stock code"
            yield {"refused": {"externalRef": number, "sku": event["adjust"]["sku"], "reason": reason}}
        else:
            yield event


def most_common(counter):
    return min(counter, key=lambda value: (-counter[value], value))


def stock_of(orders):
    """One item a SKU: its commonest name and price, and a little less on hand than was sold."""
    sold, names, prices = collections.Counter(), collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter)
    for goods in orders.values():
        for line in goods:
            sold[line.sku] += line.quantity
            names[line.sku][" ".join(line.name.split()) or line.sku] += 1
            prices[line.sku][line.pence()] += 1
    return {sku: {"sku": sku, "name": most_common(names[sku]), "onHand": sold[sku] * STOCK_SHARE_PERCENT // 100,
                  "unitAmount": most_common(prices[sku]), "currency": "GBP"} for sku in sorted(sold)}


def write(path, rows):
    text = "".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    return len(text)


def print_counts(invoices, conversion, events, stock):
    sales = [(invoice, [line for line in invoice.lines if line.is_sale()]) for invoice in invoices if not invoice.is_credit()]
    sales = [(invoice, lines) for invoice, lines in sales if lines]
    kinds = collections.Counter(next(iter(event)) for event in events)
    reasons = collections.Counter(event["refused"]["reason"] for event in events if "refused" in event)
    told = {event[kind].get("externalRef") or event[kind]["key"].split("-")[0] for event in events for kind in event if kind != "cancel"}
    rows = {
        "source: lines": sum(len(invoice.lines) for invoice in invoices),
        "source: invoices": len(invoices),
        "source: sale lines": sum(len(lines) for _, lines in sales),
        "source: invoices with a sale": len(sales),
        "source: of them with a customer": sum(1 for invoice, _ in sales if invoice.customer),
        "source: SKUs sold": len({line.sku for _, lines in sales for line in lines}),
        "source: C invoices": sum(invoice.is_credit() for invoice in invoices),
        "source: C invoices that equal an earlier invoice": conversion.cancellations,
        "orders": kinds["order"],
        "order lines": sum(len(goods) for goods in conversion.orders.values()),
        "units": sum(line.quantity for goods in conversion.orders.values() for line in goods),
        "cancellations": kinds["cancel"],
        "return lines": kinds["adjust"],
        "refused": kinds["refused"],
        "stock items": len(stock),
        "units on hand": sum(item["onHand"] for item in stock.values()),
        "invoices with an event of their own or a cancellation": len(told) + kinds["cancel"],
    }
    for name, count in rows.items():
        print(f"{name:<56} {count:>10,}")
    for reason, count in reasons.most_common():
        print(f"refused: {reason:<47} {count:>10,}")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else pathlib.Path(__file__).resolve().parent
    invoices = read_invoices(sys.argv[1])
    conversion = Conversion()
    for invoice in invoices:
        conversion.take(invoice)
    stock = stock_of(conversion.orders)
    events = list(refuse_unknown_returns(conversion.events, stock))
    write(folder / "orders.ndjson.xz", events)
    write(folder / "stock.ndjson.xz", stock.values())
    print_counts(invoices, conversion, events, stock)


if __name__ == "__main__":
    main()
