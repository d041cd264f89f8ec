#include "order/domain/customer.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "order/domain/address_rules.hpp"

namespace trackops::order::domain {
namespace {

struct CustomerContext {
    const std::optional<CustomerAggregate>& current;
    std::string_view id;
    Instant now;
};

bool is_control(char character) {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7F;
}

Result<CustomerAggregate> existing(const CustomerContext& at) {
    if (!at.current) return fail(Errc::not_found, "no customer has this id");
    return *at.current;
}

Result<void> check(const VersionCondition& condition, std::int64_t version,
                   std::string_view thing) {
    if (condition.holds_for(version)) return {};
    return fail(Errc::precondition_failed, fmt::format("the {} is at version {}", thing, version));
}

Result<CustomerAddress*> existing_address(CustomerAggregate& record, AddressId id) {
    const auto found = std::ranges::find(record.addresses, id, &CustomerAddress::id);
    if (found == record.addresses.end())
        return fail(Errc::not_found, "the customer has no address with this id");
    return &*found;
}

template <class T>
void set(T& value, const std::optional<T>& patch) {
    if (patch) value = *patch;
}

void apply_patch(CustomerDetails& details, const CustomerPatch& patch) {
    set(details.name, patch.name);
    set(details.email, patch.email);
    set(details.phone, patch.phone);
    set(details.metadata, patch.metadata);
}

void apply_patch(CustomerAddress& kept, const AddressPatch& patch) {
    set(kept.label, patch.label);
    set(kept.address.recipient, patch.recipient);
    set(kept.address.line1, patch.line1);
    set(kept.address.line2, patch.line2);
    set(kept.address.city, patch.city);
    set(kept.address.region, patch.region);
    if (patch.postal_code) kept.address.postal_code = patch.postal_code->value_or("");
    set(kept.address.country, patch.country);
    set(kept.address.phone, patch.phone);
}

// Makes the address the only default.
void make_default(CustomerAggregate& record, AddressId id) {
    for (CustomerAddress& address : record.addresses) address.is_default = address.id == id;
}

// Gives each part that has changed its next version.
CustomerAggregate with_next_versions(CustomerAggregate record, const CustomerContext& at) {
    for (CustomerAddress& address : record.addresses) {
        const CustomerAddress* const before = find_address(*at.current, address.id);
        if (before == nullptr || *before == address) continue;
        ++address.version;
        address.updated_at = at.now;
    }
    if (record.customer != at.current->customer) {
        ++record.customer.version;
        record.customer.updated_at = at.now;
    }
    return record;
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const CreateCustomer& command) {
    if (at.current) return fail(Errc::conflict, "a customer with this id exists");
    return CustomerAggregate{{std::string(at.id), command.details, 1, at.now, at.now}, {}};
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const ChangeCustomer& command) {
    CustomerAggregate record = TRY(existing(at));
    TRY(check(command.condition, record.customer.version, "customer"));
    apply_patch(record.customer.details, command.patch);
    return with_next_versions(std::move(record), at);
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const DeleteCustomer& command) {
    const CustomerAggregate record = TRY(existing(at));
    TRY(check(command.condition, record.customer.version, "customer"));
    return std::nullopt;
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const AddAddress& command) {
    CustomerAggregate record = TRY(existing(at));
    if (record.addresses.size() >= customer_addresses_max) {
        return fail(Errc::conflict, fmt::format("the customer has {} addresses, which is the most",
                                                customer_addresses_max));
    }
    record.addresses.push_back(
        {command.id, command.label, command.address, false, 1, at.now, at.now});
    if (command.makes_default || record.addresses.size() == 1) make_default(record, command.id);
    return with_next_versions(std::move(record), at);
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const ChangeAddress& command) {
    CustomerAggregate record = TRY(existing(at));
    CustomerAddress& address = *TRY(existing_address(record, command.id));
    TRY(check(command.condition, address.version, "address"));
    apply_patch(address, command.patch);
    if (auto faults = faults_of(address.address); !faults.empty())
        return fail(Errc::invalid, "the request is not valid", std::move(faults));
    if (command.patch.makes_default) make_default(record, command.id);
    return with_next_versions(std::move(record), at);
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const DeleteAddress& command) {
    CustomerAggregate record = TRY(existing(at));
    const CustomerAddress deleted = *TRY(existing_address(record, command.id));
    TRY(check(command.condition, deleted.version, "address"));
    std::erase(record.addresses, deleted);
    if (deleted.is_default && !record.addresses.empty())
        make_default(record, record.addresses.front().id);
    return with_next_versions(std::move(record), at);
}

Result<std::optional<CustomerAggregate>> apply_to(const CustomerContext& at,
                                                  const EraseCustomer& /*command*/) {
    if (!at.current) return std::nullopt;
    CustomerAggregate record = *at.current;
    record.customer.details = {};
    record.addresses.clear();
    return with_next_versions(std::move(record), at);
}

}  // namespace

bool is_customer_id(std::string_view text) {
    return !text.empty() && trimmed(text) == text && std::ranges::none_of(text, is_control) &&
           characters_in(text) <= customer_id_characters_max;
}

const CustomerAddress* find_address(const CustomerAggregate& record, AddressId id) {
    const auto found = std::ranges::find(record.addresses, id, &CustomerAddress::id);
    return found == record.addresses.end() ? nullptr : &*found;
}

Result<std::optional<CustomerAggregate>> apply(const std::optional<CustomerAggregate>& current,
                                               std::string_view id, const CustomerCommand& command,
                                               Instant now) {
    const CustomerContext at{current, id, now};
    return std::visit([&](const auto& one) { return apply_to(at, one); }, command);
}

}  // namespace trackops::order::domain
