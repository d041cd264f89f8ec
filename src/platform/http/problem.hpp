// Errors as application/problem+json (RFC 9457).
#pragma once
#include <string_view>

#include "base/result.hpp"

namespace trackops::http {

struct Request;
struct Response;

// Returns the problem for an error: the only table from Errc to status, type and title. `instance`
// is the request's path. The details of Errc::internal and Errc::unavailable go to the log and not
// to the client, in a flood one line a second and code; all other details are sent as they are.
Response problem(const Error& error, const Request& request);
int status_of(Errc code);              // the HTTP status
std::string_view code_of(Errc code);   // the stable code, e.g. "invalid-request"
std::string_view title_of(Errc code);  // the kind of problem in words
// Returns the code that a problem's body names; "" for a response that is no problem.
std::string_view problem_code_of(const Response& response);
// Returns the detail that a client may see. It lives as long as `error`.
std::string_view shown_detail(const Error& error);

}  // namespace trackops::http
