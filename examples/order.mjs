// The life of an order with Node.js 18 or later: from an empty shelf to DELIVERED. ORDER_URL and INVENTORY_URL name the services.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const orderUrl = process.env.ORDER_URL ?? "http://localhost:8080";
const inventoryUrl = process.env.INVENTORY_URL ?? "http://localhost:8081";
const attempts = 6;
const mayBeRepeated = new Set([408, 429, 500, 502, 503, 504]);

// Repeats what may be repeated, always with the same key, so that nothing is done twice.
async function call(url, body, key) {
  for (let attempt = 1; ; ++attempt) {
    let seconds = 2 ** attempt / 10;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      });
      if (!mayBeRepeated.has(response.status) || attempt === attempts) return { status: response.status, body: await response.json() };
      seconds = Number(response.headers.get("Retry-After") ?? seconds);
    } catch (error) {
      if (attempt === attempts) throw error; // no answer: it is not known whether the request took effect
    }
    await pause(seconds * 1000);
  }
}

function expect(statuses, answer) {
  if (!statuses.includes(answer.status)) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

// An item. 409: it exists already, which is as good.
expect([201, 409], await call(`${inventoryUrl}/api/inventory/items`, { sku: "SHELL-1", name: "Hanging heart", onHand: 100 }, randomUUID()));

// Store the key with the cart before the first attempt: a program that starts again after a crash then sends the same one.
const cart = randomUUID();
let order = expect([201], await call(`${orderUrl}/api/orders?wait=confirmed`, {
  customerId: "018bcfe5-687b-7abc-8123-456789abcdef",
  currency: "GBP",
  items: [{ sku: "SHELL-1", quantity: 2, unitAmount: 255 }], // the smallest unit: 2.55 GBP. Math.round(2.55 * 100), not 2.55 * 100
  shippingAddress: { line1: "1 High St", city: "London", postalCode: "N1 9GU", country: "GB" },
}, cart));

// 201 says that the order is taken; only its status says whether there is stock for it.
if (order.status !== "CONFIRMED") throw new Error(`${order.status} ${order.cancelReason ?? ""}`);

for (const [action, body] of [["process", {}], ["ship", { carrier: "Royal Mail", trackingNumber: "RM123456785GB" }], ["deliver", {}]]) {
  order = expect([200], await call(`${orderUrl}/api/orders/${order.id}/${action}`, body, `${cart}-${action}`));
  console.log(order.status);
}
console.log("order", order.id);
