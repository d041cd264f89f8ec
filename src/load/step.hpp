// Parses one line of the input into the step to send.
#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace trackops::load {

struct PlaceOrder {
    // The order's externalRef; empty if it has none.
    std::string reference;
    std::string body;
};
struct CancelOrder {
    std::string reference;
    std::string body;
};
struct AdjustStock {
    std::string sku;
    std::string key;
    std::string body;
};
// A line that the input itself marks as refused.
struct NotSent {
    std::string reason;
};
using Step = std::variant<PlaceOrder, CancelOrder, AdjustStock, NotSent>;

// Parses {"order": {..}}, {"cancel": {..}}, {"adjust": {..}}, {"refused": {..}} or the bare body of
// an order.
Result<Step> parse_step(std::string_view line);

// Returns the reference of the order that the step belongs to. Steps with the same reference are
// sent one at a time; a step with an empty reference waits for no other.
std::string_view reference_of(const Step& step);

// Encodes text for a path segment or a query value: every byte except RFC 3986's unreserved
// characters becomes %XX.
std::string percent_encoded(std::string_view text);

}  // namespace trackops::load
