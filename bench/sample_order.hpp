// The order that the benchmark programs place.
#pragma once
#include "base/ids.hpp"
#include "order/app/place_orders.hpp"

namespace trackops::bench {

inline Trace trace_of(Ids& ids) {
    return {.correlation_id = ids.next().text(),
            .causation_id = ids.next().text(),
            .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            .tracestate = ""};
}

// An order of two lines with an address, about 400 bytes as JSON.
inline order::app::PlaceOrder two_lines(Ids& ids, order::domain::CustomerId customer) {
    order::domain::OrderTerms terms{.customer = customer,
                                    .currency = "USD",
                                    .items = {{"P-1001", {}, 2, 6499}, {"P-2002", {}, 1, 1999}},
                                    .shipping_address = {.recipient = "Ada Lovelace",
                                                         .line1 = "12 St James Square",
                                                         .city = "London",
                                                         .region = "LDN",
                                                         .postal_code = "SW1Y 4JH",
                                                         .country = "GB"}};
    return {.terms = std::move(terms), .actor = "anonymous", .trace = trace_of(ids), .key = {}};
}

}  // namespace trackops::bench
