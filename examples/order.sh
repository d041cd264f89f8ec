#!/usr/bin/env bash
# The life of an order with curl: from an empty shelf to DELIVERED. ORDER_URL and INVENTORY_URL name the services.
set -euo pipefail
order_url=${ORDER_URL:-http://localhost:8080}
inventory_url=${INVENTORY_URL:-http://localhost:8081}
json='Content-Type: application/json'
member() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

# An item. 409: it exists already, which is as good.
curl -sS --retry 5 -o /dev/null "$inventory_url/api/inventory/items" -H "$json" -d '{"sku":"SHELL-1","name":"Hanging heart","onHand":100}'

# The key is of this cart: whoever sends the cart again, after a timeout or a crash, sends the same key and gets the same order.
# --retry repeats after 408, 429, 5xx and timeouts; amounts are in the smallest unit, 255 is 2.55 GBP.
key=cart-$(date +%s%N)
order=$(curl -sS --fail-with-body --retry 5 --max-time 10 "$order_url/api/orders?wait=confirmed" -H "$json" -H "Idempotency-Key: $key" -d '{
    "customerId": "018bcfe5-687b-7abc-8123-456789abcdef", "currency": "GBP", "items": [{"sku": "SHELL-1", "quantity": 2, "unitAmount": 255}],
    "shippingAddress": {"line1": "1 High St", "city": "London", "postalCode": "N1 9GU", "country": "GB"}}')
id=$(member id <<<"$order")

# 201 says that the order is taken; only its status says whether there is stock for it.
status=$(member status <<<"$order")
[ "$status" = CONFIRMED ] || { echo "$status: $order" >&2; exit 1; }

act() { curl -sS --fail-with-body --retry 5 "$order_url/api/orders/$id/$1" -H "$json" -H "Idempotency-Key: $key-$1" -d "$2" | member status; }
act process '{}'
act ship '{"carrier":"Royal Mail","trackingNumber":"RM123456785GB"}'
act deliver '{}'
echo "order $id"
