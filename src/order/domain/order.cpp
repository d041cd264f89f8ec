#include "order/domain/order.hpp"

#include <limits>
#include <utility>

#include <fmt/format.h>

namespace trackops::order::domain {
namespace {

constexpr const char* sums_differ = "the amounts do not add up";
static_assert(static_cast<std::int64_t>(adjustments_max) <
              std::numeric_limits<std::int64_t>::max() / max_amount_minor);

}  // namespace

CustomerId customer_id_of(std::string text) {
    if (const auto uuid = Uuid::parse(text)) return {uuid->text()};
    return {std::move(text)};
}

OrderDetails details_of(const Order& order) {
    return {order.terms.shipping_address, order.terms.delivery_instructions,
            order.terms.external_ref, order.terms.metadata, order.shipment};
}

Result<std::int64_t> total_of(const OrderTerms& terms) {
    std::vector<FieldError> faults;
    std::optional<std::int64_t> total = terms.shipping_amount_minor.value_or(0);
    for (std::size_t i = 0; i < terms.items.size(); ++i) {
        const auto amount =
            checked_multiply(terms.items[i].quantity, terms.items[i].unit_amount_minor);
        if (!amount) {
            faults.push_back({fmt::format("/items/{}", i),
                              "quantity times unitAmount is larger than any amount may be",
                              "range"});
        } else if (total) {
            total = checked_add(*total, *amount);
        }
    }
    if (!total) faults.push_back({"/items", "the total is larger than any amount may be", "range"});
    if (!faults.empty()) return fail(Errc::invalid, sums_differ, std::move(faults));
    // Each alone is checked by its reader, and adjustments_max of them cannot overflow.
    std::int64_t adjusted = 0;
    for (const Adjustment& adjustment : terms.adjustments) adjusted += adjustment.amount_minor;
    const std::int64_t due = *total + adjusted;
    if (due < 0) {
        faults.push_back({"/adjustments",
                          fmt::format("bring the total to {}; it must not be below 0", due),
                          "range"});
    } else if (due > max_amount_minor) {
        faults.push_back({"/adjustments", "bring the total above what any amount may be", "range"});
    } else if (terms.total_amount_minor && *terms.total_amount_minor != due) {
        const std::int64_t shipping = terms.shipping_amount_minor.value_or(0);
        faults.push_back(
            {"/totalAmount",
             fmt::format("is {}, but lines {}, shipping {} and adjustments {} come to {}",
                         *terms.total_amount_minor, *total - shipping, shipping, adjusted, due),
             "mismatch"});
    }
    if (!faults.empty()) return fail(Errc::invalid, sums_differ, std::move(faults));
    return due;
}

}  // namespace trackops::order::domain
