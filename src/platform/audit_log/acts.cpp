#include "platform/audit_log/acts.hpp"

#include <algorithm>

#include "platform/audit_log/chain.hpp"
#include "platform/sql/database.hpp"

namespace trackops::audit_log {

void Acts::add(const AuditedActPtr& act) {
    if (!act) return;
    // The commands of a bulk request follow each other.
    const auto known = std::find_if(acts_.rbegin(), acts_.rend(),
                                    [&](const auto& one) { return one.first == act; });
    if (known != acts_.rend())
        ++known->second;
    else
        acts_.emplace_back(act, 1);
}

void Acts::commit(sql::Transaction& tx, Instant now) const {
    std::vector<Entry> entries;
    entries.reserve(acts_.size());
    for (const auto& [act, commands] : acts_) {
        entries.push_back({.at = now,
                           .service = act->service,
                           .actor = act->actor,
                           .address = act->address,
                           .action = act->action,
                           .subject = act->subject,
                           .outcome = committed,
                           .occurrences = commands,
                           .correlation_id = act->correlation_id});
    }
    append(tx, entries);
    tx.commit();
    for (const auto& one : acts_) one.first->is_committed = true;
}

void Acts::found_committed(const AuditedActPtr& act) {
    if (act) act->is_committed = true;
}

}  // namespace trackops::audit_log
