// One line of the input, read: what to send.
#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace trackops::load {

struct PlaceOrder {
    std::string reference;  // its externalRef; "" if it has none
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
struct NotSent {  // the input says itself why this is no order
    std::string reason;
};
using Step = std::variant<PlaceOrder, CancelOrder, AdjustStock, NotSent>;

// {"order": {..}}, {"cancel": {..}}, {"adjust": {..}}, {"refused": {..}}, or the body of an order
// by itself.
Result<Step> parse_step(std::string_view line);

// The orders that a step touches happen one after the other; "" waits for nobody.
std::string_view reference_of(const Step& step);

// For a path segment or a query value: everything but RFC 3986's unreserved characters becomes %XX.
std::string percent_encoded(std::string_view text);

}  // namespace trackops::load
