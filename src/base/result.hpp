// What a caller can answer: a value, or an Error with every fault named. See
// docs/decisions/0003-errors.md.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace trackops {

// What went wrong, in the caller's words. platform/http/problem.cpp has one row for each.
enum class Errc : std::uint8_t {
    malformed,  // not JSON, not UTF-8, not the protocol
    invalid,    // understood, refused by a schema or a rule
    not_found,
    method_not_allowed,
    conflict,            // the state of the thing forbids it
    illegal_transition,  // the life of an order has no such step
    out_of_stock,
    precondition_failed,  // If-Match names another version
    precondition_required,
    key_reused,  // an Idempotency-Key came back with another body
    too_large,
    header_too_large,
    unsupported_media_type,
    not_acceptable,
    timeout,          // the client was too slow
    overloaded,       // a queue is full
    unavailable,      // a server we need is away
    outcome_unknown,  // the commit was sent, its answer was lost and could not be found out
    internal,
};
inline constexpr std::size_t errc_count = static_cast<std::size_t>(Errc::internal) + 1;

// One fault of a request. pointer is an RFC 6901 JSON pointer ("" is the whole body), or a
// parameter's or header's name.
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

// The value of a Result, or an early return of its error. A lambda that uses it must state its
// return type.
#define TRY(expression)                                                         \
    __extension__({                                                             \
        auto&& try_result = (expression);                                       \
        if (!try_result) return std::unexpected(std::move(try_result).error()); \
        *std::move(try_result);                                                 \
    })
