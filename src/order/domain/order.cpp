#include "order/domain/order.hpp"

#include <utility>

#include <fmt/format.h>

namespace trackops::order::domain {

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
    for (const Adjustment& adjustment : terms.adjustments) {
        if (total) total = checked_add(*total, adjustment.amount_minor);
    }
    if (total && *total < 0 && faults.empty()) {
        faults.push_back({"/adjustments",
                          fmt::format("bring the total to {}; it must not be below 0", *total),
                          "range"});
    }
    if (!total) {
        faults.push_back({"/items", "the total is larger than any amount may be", "range"});
    } else if (faults.empty() && terms.total_amount_minor && *terms.total_amount_minor != *total) {
        faults.push_back({"/totalAmount",
                          fmt::format("is {}, but lines, shipping and adjustments sum up to {}",
                                      *terms.total_amount_minor, *total),
                          "mismatch"});
    }
    if (!faults.empty()) return fail(Errc::invalid, "the amounts do not add up", std::move(faults));
    return *total;
}

}  // namespace trackops::order::domain
