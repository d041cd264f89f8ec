// The customer aggregate: a customer with the addresses of its address book, loaded, changed and
// saved as a unit. Each command is one of the things that can happen to a customer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"
#include "base/version_condition.hpp"
#include "order/domain/order.hpp"

namespace trackops::order::domain {

inline constexpr std::size_t customer_addresses_max = 100;

// Whether the text can be the id of a customer: 1 to 64 characters without control characters and
// without blanks at the ends.
bool is_customer_id(std::string_view text);

struct CustomerDetails {
    std::optional<std::string> name;
    std::optional<std::string> email;
    std::optional<std::string> phone;
    std::optional<std::string> metadata;  // a JSON object, as text
    bool operator==(const CustomerDetails&) const = default;
};

struct Customer {
    std::string id;
    CustomerDetails details;
    std::int64_t version = 1;  // counts the changes of the details, with the creation
    Instant created_at;
    Instant updated_at;
    bool operator==(const Customer&) const = default;
};

struct CustomerAddress {
    AddressId id;
    std::optional<std::string> label;  // the customer's name for it, e.g. Work
    Address address;
    bool is_default = false;
    std::int64_t version = 1;
    Instant created_at;
    Instant updated_at;
    bool operator==(const CustomerAddress&) const = default;
};

struct CustomerAggregate {
    Customer customer;
    // Sorted by id, the oldest first; at most customer_addresses_max. If there are any, exactly one
    // is the default.
    std::vector<CustomerAddress> addresses;
    bool operator==(const CustomerAggregate&) const = default;
};

// Returns the address; nullptr without one.
const CustomerAddress* find_address(const CustomerAggregate& record, AddressId id);

// A member that is not set leaves the value as it is; one that is set to nothing clears it.
using TextPatch = std::optional<std::optional<std::string>>;

struct CustomerPatch {
    TextPatch name;
    TextPatch email;
    TextPatch phone;
    TextPatch metadata;
};

struct AddressPatch {
    TextPatch label;
    TextPatch recipient;
    std::optional<std::string> line1;
    TextPatch line2;
    std::optional<std::string> city;
    TextPatch region;
    TextPatch postal_code;
    std::optional<std::string> country;
    TextPatch phone;
    bool makes_default = false;
};

struct CreateCustomer {
    CustomerDetails details;
};
struct ChangeCustomer {
    CustomerPatch patch;
    VersionCondition condition;
};
// Deletes the customer with its addresses.
struct DeleteCustomer {
    VersionCondition condition;
};
// Adds an address. The first one becomes the default.
struct AddAddress {
    AddressId id;  // larger than the ids of the addresses before
    std::optional<std::string> label;
    Address address;
    bool makes_default = false;
};
struct ChangeAddress {
    AddressId id;
    AddressPatch patch;
    VersionCondition condition;
};
// Deletes an address. If it is the default, the oldest of the others becomes the default.
struct DeleteAddress {
    AddressId id;
    VersionCondition condition;
};

// Erases what is known of the customer as a person: the details and the addresses. The id stays.
// Without a customer it changes nothing.
struct EraseCustomer {};

using CustomerCommand = std::variant<CreateCustomer, ChangeCustomer, DeleteCustomer, AddAddress,
                                     ChangeAddress, DeleteAddress, EraseCustomer>;

// Returns the customer after the command; nothing after its deletion. Only a part that has changed
// gets a new version and updated_at. Errors: Errc::not_found; Errc::conflict for an id that is
// taken and for an address too many; Errc::precondition_failed; Errc::invalid as faults_of() when a
// changed address does not follow the rules of its country.
Result<std::optional<CustomerAggregate>> apply(const std::optional<CustomerAggregate>& current,
                                               std::string_view id, const CustomerCommand& command,
                                               Instant now);

}  // namespace trackops::order::domain
