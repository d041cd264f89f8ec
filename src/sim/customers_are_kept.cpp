#include "sim/customers_are_kept.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace trackops::sim {

CheckResult customers_are_kept(const Evidence& on) {
    for (const auto& [id, row] : on.ledger.customers) {
        const auto known = on.model.customers().find(id);
        if (known == on.model.customers().end()) return id + " is there, and nobody made it";
        ModelCustomer found{row.name, row.version, {}, ""};
        for (const auto& [address, kept] : row.addresses) {
            found.addresses[address] = kept.line1;
            if (kept.is_default) found.default_address += address;
        }
        if (found == known->second) continue;
        return fmt::format(
            "{} is {} in version {} with {} addresses, default '{}'; its answers "
            "say {} in version {} with {}, default '{}'",
            id, found.name, found.version, found.addresses.size(), found.default_address,
            known->second.name, known->second.version, known->second.addresses.size(),
            known->second.default_address);
    }
    if (on.ledger.customers.size() < on.model.customers().size())
        return std::string("a customer was made and is not there");
    return {};
}

CheckResult orders_keep_their_address(const Evidence& on) {
    for (const auto& [id, row] : on.ledger.orders) {
        const auto asked = on.model.orders().find(row.reference);
        if (asked == on.model.orders().end() || asked->second.address_line.empty()) continue;
        const std::string line = asked->second.is_erased ? "erased" : asked->second.address_line;
        if (row.shipping_address.find(fmt::format(R"("line1":"{}")", line)) == std::string::npos)
            return fmt::format("{} goes to {} and not to {}", row.reference, row.shipping_address,
                               line);
    }
    return {};
}

CheckResult erased_customers_are_forgotten(const Evidence& on) {
    for (const auto& [id, row] : on.ledger.orders) {
        const auto asked = on.model.orders().find(row.reference);
        if (asked == on.model.orders().end() || !asked->second.is_erased) continue;
        if (row.status != "CANCELLED")
            return fmt::format("{} was erased and is {}", row.reference, row.status);
    }
    const auto told = static_cast<std::size_t>(
        std::ranges::count(on.ledger.order_events, "CUSTOMER_ERASED",
                           [](const EventRow& event) { return event.type; }));
    // The answer to the last erasure may be missing.
    const std::size_t answered = on.model.erased_customers().size();
    if (told != answered && told != answered + 1)
        return fmt::format("{} erasures were answered, and {} told", answered, told);
    for (const std::string& customer : on.model.erased_customers()) {
        for (const std::string& body : on.ledger.recorded_bodies) {
            const bool names_it = body.find(fmt::format(R"("{}")", customer)) != std::string::npos;
            // Of an address, or of the customer.
            const bool shows_it = body.find(" Pier\"") != std::string::npos ||
                                  body.find("\"name\":") != std::string::npos;
            if (names_it && shows_it)
                return fmt::format("{} is erased, and an answer shows it: {}", customer, body);
        }
    }
    return {};
}

}  // namespace trackops::sim
