-- For wrk: POST /api/orders, each with a key of its own and one of 1,000 prepared bodies: one to three lines (two on average) of 1,000
-- SKUs, an address, some with instructions. wrk ... -s place.lua URL -- SEED. The last line that it prints is a report as JSON.
local bodies, prefix, count = {}, "", 0
local cities = {{"12 St James Square", "London", "LDN", "SW1Y 4JH"}, {"5 Castle Street", "Edinburgh", "EDH", "EH2 3AT"},
                {"31 Park Row", "Leeds", "LDS", "LS1 5JL"}, {"8 Queen Charlotte Street", "Bristol", "BST", "BS1 4EX"}}
local people = {"Ada Lovelace", "Alan Turing", "Grace Hopper", "Edsger Dijkstra", "Barbara Liskov"}

local function body()
  local lines, first = {}, math.random(0, 999)
  for i = 1, math.random(1, 3) do
    lines[i] = string.format('{"sku":"SKU-%d","quantity":%d,"unitAmount":%d}', (first + 37 * i) % 1000, math.random(1, 3), math.random(99, 19999))
  end
  local at = cities[math.random(#cities)]
  return string.format('{"customerId":"0190a6de-1f3b-7c55-9f4e-%012x","currency":"GBP","items":[%s],"shippingAddress":{"recipient":"%s",'
    .. '"line1":"%s","city":"%s","region":"%s","postalCode":"%s","country":"GB"}%s}', math.random(1, 100000), table.concat(lines, ","),
    people[math.random(#people)], at[1], at[2], at[3], at[4],
    math.random(4) == 1 and ',"deliveryInstructions":"leave at the door, ring the bell twice"' or "")
end

function init(arguments)
  math.randomseed(tonumber(arguments[1]))
  prefix = "bench-" .. arguments[1] .. "-"
  local head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\nContent-Type: application/json\r\n"
  for i = 1, 1000 do
    local text = body()
    bodies[i] = head .. "Content-Length: " .. #text .. "\r\nIdempotency-Key: %s\r\n\r\n" .. text
  end
  for i = 1, 1000 do
    local at = bodies[i]:find("%%s")
    bodies[i] = {bodies[i]:sub(1, at - 1), bodies[i]:sub(at + 2)}
  end
end

function request()
  count = count + 1
  local each = bodies[count % 1000 + 1]
  return each[1] .. prefix .. count .. each[2]
end

dofile((debug.getinfo(1, "S").source:sub(2):match(".*/") or "./") .. "report.lua")
