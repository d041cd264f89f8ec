"""The life of an order with Python's standard library: from an empty shelf to DELIVERED. ORDER_URL and INVENTORY_URL name the services."""
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

ORDER_URL = os.environ.get("ORDER_URL", "http://localhost:8080")
INVENTORY_URL = os.environ.get("INVENTORY_URL", "http://localhost:8081")
ATTEMPTS = 6


def call(method, url, body, key):
    """Status and body. It repeats what may be repeated, always with the same key, so that nothing is done twice."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    for attempt in range(ATTEMPTS):
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            if refused.code not in (408, 429, 500, 502, 503, 504) or attempt + 1 == ATTEMPTS:
                return refused.code, json.load(refused)
            time.sleep(float(refused.headers.get("Retry-After", 1)))
        except OSError:  # no answer: it is not known whether the request took effect
            if attempt + 1 == ATTEMPTS:
                raise
            time.sleep(2**attempt / 10)
    raise AssertionError("the last attempt returns or raises")


def expect(status, answer):
    if answer[0] != status:
        sys.exit(f"{answer[0]}: {answer[1]['detail']} {answer[1].get('errors', '')}")
    return answer[1]


# An item. 409: it exists already, which is as good.
item = {"sku": "SHELL-1", "name": "Hanging heart", "onHand": 100}
status, told = call("POST", f"{INVENTORY_URL}/api/inventory/items", item, str(uuid.uuid4()))
if status not in (201, 409):
    sys.exit(f"{status}: {told}")

# Store the key with the cart before the first attempt: a program that starts again after a crash then sends the same one.
cart = str(uuid.uuid4())
order = expect(201, call("POST", f"{ORDER_URL}/api/orders?wait=confirmed", {
    "customerId": "018bcfe5-687b-7abc-8123-456789abcdef", "currency": "GBP",
    "items": [{"sku": "SHELL-1", "quantity": 2, "unitAmount": 255}],  # the smallest unit: 2.55 GBP
    "shippingAddress": {"line1": "1 High St", "city": "London", "postalCode": "N1 9GU", "country": "GB"}}, cart))

# 201 says that the order is taken; only its status says whether there is stock for it.
if order["status"] != "CONFIRMED":
    sys.exit(f"{order['status']} {order.get('cancelReason', '')}")

for action, body in (("process", {}), ("ship", {"carrier": "Royal Mail", "trackingNumber": "RM123456785GB"}), ("deliver", {})):
    order = expect(200, call("POST", f"{ORDER_URL}/api/orders/{order['id']}/{action}", body, f"{cart}-{action}"))
    print(order["status"])
print("order", order["id"])
