// The order: its terms, its status and its amounts.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/money.hpp"
#include "base/result.hpp"
#include "order/domain/status.hpp"

namespace trackops::order::domain {

using OrderId = Id<struct OrderTag>;
using AddressId = Id<struct AddressTag>;

inline constexpr std::size_t customer_id_characters_max = 64;

// The client's id of a customer: 1..customer_id_characters_max printable characters, compared
// bytewise. A UUID is kept in its lower-case form.
struct CustomerId {
    std::string text;
    auto operator<=>(const CustomerId&) const = default;
};
// Returns the id of a text, which has the form of one.
CustomerId customer_id_of(std::string text);

inline constexpr std::size_t max_lines = 2'000;
inline constexpr std::size_t adjustments_max = 100;
inline constexpr std::int64_t max_quantity = 1'000'000;

// The reasons for which an order is cancelled. A client may give any reason except out_of_stock,
// unknown_sku and timed_out, which only the system gives. customer_request stands for a client that
// gives none.
inline constexpr std::string_view customer_request = "CUSTOMER_REQUEST";
inline constexpr std::string_view out_of_stock = "OUT_OF_STOCK";
inline constexpr std::string_view unknown_sku = "UNKNOWN_SKU";  // of at least one line
inline constexpr std::string_view timed_out = "TIMED_OUT";

struct Line {
    std::string sku;
    std::optional<std::string> name;
    std::int64_t quantity = 0;           // 1..max_quantity
    std::int64_t unit_amount_minor = 0;  // 0..max_amount_minor
    bool is_tracked = true;  // otherwise there is no stock of it: a gift card, a service
    // Cannot overflow for a line of an order: total_of() has checked the product.
    std::int64_t line_amount_minor() const { return quantity * unit_amount_minor; }
    bool operator==(const Line&) const = default;
};

struct Address {
    std::optional<std::string> recipient;
    std::string line1;
    std::optional<std::string> line2;
    std::string city;
    std::optional<std::string> region;
    std::string postal_code;  // empty where the country needs none
    std::string country;      // ISO 3166-1 alpha-2
    std::optional<std::string> phone;
    bool operator==(const Address&) const = default;
};

struct Shipment {
    std::optional<std::string> carrier;
    std::optional<std::string> tracking_number;
    bool operator==(const Shipment&) const = default;
};

// A SKU of an order that inventory could not reserve.
struct Shortage {
    std::string sku;
    std::int64_t requested = 0;  // by all lines with the SKU
    std::int64_t available = 0;
    std::string reason;  // a word of inventory: INSUFFICIENT_STOCK or UNKNOWN_SKU
    bool operator==(const Shortage&) const = default;
};

enum class AdjustmentKind : std::uint8_t { discount, tax, fee, other };
inline constexpr auto adjustment_kind_names =
    std::to_array<std::string_view>({"DISCOUNT", "TAX", "FEE", "OTHER"});

// An amount that counts into the total of an order and reserves nothing.
struct Adjustment {
    AdjustmentKind kind = AdjustmentKind::other;
    std::string label;
    std::int64_t amount_minor = 0;  // below 0: it makes the order cheaper
    bool operator==(const Adjustment&) const = default;
};

// The terms that a client asks for. The HTTP API checks the form of each field; total_of() checks
// the sums.
struct OrderTerms {
    CustomerId customer;
    std::string currency;  // ISO 4217
    std::optional<std::int64_t> shipping_amount_minor;
    std::optional<std::int64_t> total_amount_minor;  // the total that the client expects
    std::vector<Line> items;              // 1..max_lines; several lines may have the same SKU
    std::vector<Adjustment> adjustments;  // adjustments_max at most
    Address shipping_address;
    // The customer's address that is copied into shipping_address when the order is saved.
    std::optional<AddressId> shipping_address_id;
    std::optional<std::string> delivery_instructions;
    std::optional<std::string> external_ref;
    std::optional<std::string> metadata;  // a JSON object, as text
};

struct Order {
    OrderId id;
    Status status = Status::pending;
    OrderTerms terms;  // total_amount_minor is always set: the sum that total_of() returns
    std::optional<std::string> cancel_reason;
    std::vector<Shortage> cancel_details;  // of an order that inventory refused
    std::optional<Shipment> shipment;
    std::int64_t version = 1;  // the number of changes that a client can see, with the creation
    Instant created_at;
    Instant updated_at;

    std::int64_t total_amount_minor() const { return terms.total_amount_minor.value_or(0); }
};

// The part of an order that a client may change after it was placed. A change of any of it is no
// change of the status.
struct OrderDetails {
    Address shipping_address;
    std::optional<std::string> delivery_instructions;
    std::optional<std::string> external_ref;
    std::optional<std::string> metadata;  // a JSON object, as text
    std::optional<Shipment> shipment;
    bool operator==(const OrderDetails&) const = default;
};
OrderDetails details_of(const Order& order);

// Returns the sum of the lines, shipping and adjustments, in minor units. Errc::invalid when an
// amount exceeds max_amount_minor, the sum is below 0 or the client's total differs; the error has
// a JSON pointer for each fault.
Result<std::int64_t> total_of(const OrderTerms& terms);

}  // namespace trackops::order::domain
