// Cross-origin requests of the pages that the setting cors-origin names (the Fetch standard). Pure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

// Parses a list of origins: "https://console.example, http://localhost:3000". Returns
// Errc::invalid, naming the entry, if one is not SCHEME://HOST[:PORT] in small letters with http or
// https.
Result<std::vector<std::string>> parse_origins(std::string_view list);

// Returns the entry of `origins` that the request's Origin is; "" if it is none of them.
std::string_view allowed_origin(const Request& request, std::span<const std::string> origins);

// Whether a browser asks if it may send a request (a preflight). Nobody has to log in for that.
bool is_preflight(const Request& request);
// Adds to the answer of OPTIONS what pages of an allowed origin may send; `methods` are those of
// the path.
void allow_preflight(Response& response, std::string_view methods);

// Appends the headers that let a page of `origin` read an answer; for "" only that the answer
// depends on the origin. Cookies and other credentials of the browser are never part of it.
void append_cors(std::string& out, std::string_view origin);

}  // namespace trackops::http
