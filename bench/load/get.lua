-- For wrk: GET of each path in a file, one after the other and again. wrk ... -s get.lua URL -- FILE
local requests, count = {}, 0

function init(arguments)
  for path in io.lines(arguments[1]) do
    requests[#requests + 1] = "GET " .. path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n\r\n"
  end
end

function request()
  count = count % #requests + 1
  return requests[count]
end

dofile((debug.getinfo(1, "S").source:sub(2):match(".*/") or "./") .. "report.lua")
