// The result of a call: a value, or an Error that its caller can handle. See
// docs/decisions/0003-errors.md.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace trackops {

// The kind of an error. The table in platform/http/problem.cpp has a row for each.
enum class Errc : std::uint8_t {
    malformed,     // not JSON, not UTF-8, or against the protocol
    invalid,       // well-formed, but refused by a schema or a rule
    unauthorized,  // no credentials, or none that are valid
    forbidden,     // the caller may not do this
    not_found,
    method_not_allowed,
    conflict,             // the state of the resource forbids the request
    illegal_transition,   // the order's status does not allow the action
    precondition_failed,  // If-Match names another version
    precondition_required,
    key_reused,  // an Idempotency-Key was used before with another body
    too_large,
    header_too_large,
    unsupported_media_type,
    misdirected,      // the request names a host that is not this service
    timeout,          // the client was too slow
    rate_limited,     // the caller sends more than it may
    overloaded,       // a queue is full
    unavailable,      // a required server does not answer
    outcome_unknown,  // a commit was sent, and its outcome could not be determined
    internal,
};
inline constexpr std::size_t errc_count = static_cast<std::size_t>(Errc::internal) + 1;

// One fault of a request. `pointer` is a JSON pointer (RFC 6901; "" is the whole body) or the name
// of a parameter or header.
struct FieldError {
    std::string pointer;
    std::string detail;
    std::string code = "invalid";
    bool operator==(const FieldError&) const = default;
};

struct Error {
    Errc code = Errc::internal;
    std::string detail;
    std::vector<FieldError> fields = {};
    bool operator==(const Error&) const = default;
};

template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(Errc code, std::string detail,
                                   std::vector<FieldError> fields = {}) {
    return std::unexpected(Error{code, std::move(detail), std::move(fields)});
}

}  // namespace trackops

// Yields the value of a Result, or returns its error from the enclosing function. A lambda that
// uses TRY states its return type. Not after a comma: g++ 12 leaks what the list made before it.
#define TRY(expression)                                                         \
    __extension__({                                                             \
        auto&& try_result = (expression);                                       \
        if (!try_result) return std::unexpected(std::move(try_result).error()); \
        *std::move(try_result);                                                 \
    })
