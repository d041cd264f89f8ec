#include "sim/customers_are_kept.hpp"

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

}  // namespace trackops::sim
