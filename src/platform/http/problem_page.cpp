#include "platform/http/problem_page.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "base/result.hpp"
#include "platform/http/problem.hpp"

namespace trackops::http {
namespace {

// Whether a client may send the request again without a change.
enum class Retry : std::uint8_t {
    never,     // it would be refused again
    same_key,  // it may have taken effect: only with the same Idempotency-Key
    later,     // it has not taken effect
};

struct Advice {
    std::string_view name;  // as the contract and clients call it
    std::string_view meaning;
};
constexpr auto advices = std::to_array<Advice>(
    {{"never", "The same request would be refused again."},
     {"same-key",
      "The request may have taken effect. Send it again with the same Idempotency-Key: it then "
      "takes effect once, and you get its answer."},
     {"later",
      "The request has had no effect. Send it again later; if the answer has a "
      "Retry-After, after that many seconds."}});
static_assert(advices.size() == static_cast<std::size_t>(Retry::later) + 1);

struct Explanation {
    Errc errc;
    Retry retry;
    std::string_view meaning;
    std::string_view next_step;
};

// Plain text without characters that HTML escapes.
constexpr auto explanations = std::to_array<Explanation>({
    {Errc::malformed, Retry::never,
     "The request could not be read: its HTTP is broken, its path holds a bad escape, or its body "
     "is not JSON in UTF-8.",
     "Look at the detail, and at the bytes that your client really sends."},
    {Errc::invalid, Retry::never,
     "The request was read, but a parameter, a header or a member of the body is missing, unknown "
     "or outside its limits.",
     "The member errors of the problem lists every fault with its place (a JSON pointer, or the "
     "name of a parameter or header). Mend all of them and send the request again."},
    {Errc::unauthorized, Retry::never,
     "The request shows no credentials, or none that are valid here.",
     "Show a key, a token or a session. If you do, look whether it has ended or was revoked."},
    {Errc::forbidden, Retry::never,
     "The service knows the caller, who may not do this; or a page of another origin made a "
     "browser "
     "send the request.",
     "Ask an operator for the scope that the contract names for the operation (x-scope). A browser "
     "sends such requests only from a page of the service itself."},
    {Errc::not_found, Retry::never, "There is nothing at this path, or nothing has this id.",
     "Compare the path with the contract, and the id with the answer that you have it from. Each "
     "service has its own port."},
    {Errc::method_not_allowed, Retry::never, "The path exists, but it does not serve this method.",
     "The header Allow of the answer lists the methods of the path."},
    {Errc::conflict, Retry::never,
     "The present state forbids the request: an item exists already, units are reserved, a count "
     "is not the expected one, an order has the external reference, or the relay is paused.",
     "The detail names the state. Read the resource, then decide again."},
    {Errc::illegal_transition, Retry::never,
     "The life of an order has no such step from its present status. It is PENDING, CONFIRMED, "
     "PROCESSING, SHIPPED, DELIVERED in this order; the first three may become CANCELLED.",
     "Read the status of the order. Take the steps that are still missing, or none."},
    {Errc::precondition_failed, Retry::never,
     "If-Match names another version than the present one: somebody has changed the resource since "
     "you read it.",
     "Read it again, decide again, and send the new ETag."},
    {Errc::precondition_required, Retry::never,
     "The request needs an Idempotency-Key, so that a repeat after a lost answer cannot count "
     "twice.",
     "Choose a key for each change, send it in the header Idempotency-Key, and keep it for "
     "repeats."},
    {Errc::key_reused, Retry::never,
     "The Idempotency-Key was used before for another request. A key is kept for 24 hours.",
     "Use a new key for a new request. A repeat must have the same body."},
    {Errc::too_large, Retry::never, "The body is larger than the operation takes.",
     "Send less at once. The contract states the limit of each operation as x-body-bytes-max."},
    {Errc::header_too_large, Retry::never, "The request line and the headers are too large.",
     "Send fewer or shorter headers and parameters. Cookies of other sites on the same host count, "
     "too."},
    {Errc::unsupported_media_type, Retry::never,
     "The body is of a type that the operation does not take, or it is compressed.",
     "Send Content-Type: application/json in UTF-8, or application/x-ndjson to a bulk operation, "
     "without Content-Encoding."},
    {Errc::misdirected, Retry::never,
     "The header Host names a host that is not a name of this service.",
     "Call the service by a name that it knows: localhost, its address, or a name in its "
     "settings."},
    {Errc::timeout, Retry::same_key,
     "The request did not arrive in time, or the work did not begin in time.",
     "Send the request in one go. If your network is slow, send less at once."},
    {Errc::rate_limited, Retry::later, "The caller sends more requests than it may.",
     "Send the request again after Retry-After, and send fewer at a time."},
    {Errc::overloaded, Retry::later, "More requests are waiting than the service lets wait.",
     "Send the request again after Retry-After, and wait longer each time."},
    {Errc::unavailable, Retry::later,
     "A server that the request needs, such as the database, does not answer at the moment.",
     "Send the request again after Retry-After. If it lasts, /actuator/health names the server."},
    {Errc::outcome_unknown, Retry::same_key,
     "The database did not confirm the change before the connection to it broke. It may or may not "
     "have taken effect.",
     "Send the request again with the same Idempotency-Key. Without a key, read the resource "
     "first."},
    {Errc::internal, Retry::same_key, "A defect of the service.",
     "Give the trace id of the problem to the operator: the log has more under it. One repeat with "
     "the same Idempotency-Key does no harm."},
});

constexpr bool is_complete() {
    if (explanations.size() != errc_count) return false;
    for (std::size_t i = 0; i < explanations.size(); ++i) {
        const Explanation& row = explanations[i];
        if (static_cast<std::size_t>(row.errc) != i || row.meaning.empty() || row.next_step.empty())
            return false;
    }
    return true;
}
static_assert(is_complete());  // a new Errc without a row does not compile

constexpr std::string_view page_format = R"(<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{code}</title>
<style>body{{font:17px/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}}</style>
<h1>{title}</h1>
<p>Code: <code>{code}</code>. Status: {status}.
<h2>Meaning</h2><p>{meaning}
<h2>Repeat: {retry}</h2><p>{advice}
<h2>Next step</h2><p>{next_step}
<p><a href="/docs">The contract of this service</a>
</html>
)";

}  // namespace

std::optional<std::string> problem_page(std::string_view code) {
    const auto* const row = std::ranges::find(
        explanations, code, [](const Explanation& candidate) { return code_of(candidate.errc); });
    if (row == explanations.end()) return std::nullopt;
    const Advice& advice = advices.at(static_cast<std::size_t>(row->retry));
    return fmt::format(page_format, fmt::arg("code", code), fmt::arg("title", title_of(row->errc)),
                       fmt::arg("status", status_of(row->errc)), fmt::arg("meaning", row->meaning),
                       fmt::arg("retry", advice.name), fmt::arg("advice", advice.meaning),
                       fmt::arg("next_step", row->next_step));
}

}  // namespace trackops::http
