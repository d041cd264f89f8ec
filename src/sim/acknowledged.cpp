#include "sim/acknowledged.hpp"

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "order/domain/events.hpp"
#include "sim/answers.hpp"

namespace trackops::sim {
namespace {

// An order shows the newest confirmed change of a detail, or one whose outcome is not known.
CheckResult check_detail(const Evidence& on, const ModelOrder& asked, const OrderRow& row,
                         bool is_of_shipment) {
    std::int64_t newest = 0;
    std::set<int> possible;
    for (const auto& [number, patch] : asked.patches) {
        if (patch.is_of_shipment != is_of_shipment || patch.is_refused) continue;
        if (!patch.heard) {
            possible.insert(number);
        } else if (*patch.heard > newest) {
            newest = *patch.heard;
        }
    }
    for (const auto& [number, patch] : asked.patches) {
        if (patch.is_of_shipment == is_of_shipment && patch.heard == newest)
            possible.insert(number);
    }
    const std::string& shown = is_of_shipment ? row.tracking_number : row.instructions;
    const auto change = asked.changes.find(number_in(shown));
    const bool is_first =
        newest == 0 && (shown.empty() || (is_of_shipment && change != asked.changes.end()));
    if (is_first || possible.contains(number_in(shown))) return {};
    return fmt::format("{} has '{}', and version {} was answered with another",
                       on.world.trace_log.name_of(*asked.id), shown, newest);
}

}  // namespace

CheckResult acknowledged_requests_are_kept(const Evidence& on) {
    std::set<std::tuple<Uuid, std::int64_t, std::string>> history;
    for (const HistoryRow& row : on.ledger.history)
        history.emplace(row.order, row.version, row.status);
    for (const auto& [reference, asked] : on.model.orders()) {
        if (!asked.id) continue;
        const auto found = on.ledger.orders.find(*asked.id);
        if (found == on.ledger.orders.end()) return reference + " was answered and is not there";
        if (found->second.lines != asked.lines) return reference + " has other lines";
        for (const auto& [number, change] : asked.changes) {
            if (!change.heard) continue;
            const auto& [status, version] = *change.heard;
            if (!history.contains(
                    {*asked.id, version, std::string(order::domain::name_of(status))}))
                return fmt::format("{} was told {} in version {}, which never was",
                                   on.world.trace_log.name_of(*asked.id),
                                   order::domain::name_of(status), version);
        }
    }
    for (const auto& [reason, adjustment] : on.model.adjustments()) {
        bool is_in_ledger = false;
        for (const MovementRow& row : on.ledger.movements) {
            is_in_ledger = is_in_ledger || (row.reason == reason && row.sku == adjustment.sku &&
                                            row.delta == adjustment.delta);
        }
        if (adjustment.is_done && !is_in_ledger)
            return "adjustment " + reason + " was answered and is not in the ledger";
    }
    return {};
}

CheckResult acknowledged_details_are_kept(const Evidence& on) {
    std::map<std::pair<Uuid, std::int64_t>, std::string> history;
    for (const HistoryRow& row : on.ledger.history) {
        const auto* const rule = order::domain::event_rule_named(row.type);
        if (rule != nullptr && rule->is_shown) history[{row.order, row.version}] = row.type;
    }
    for (const auto& [reference, asked] : on.model.orders()) {
        if (!asked.id || !on.ledger.orders.contains(*asked.id)) continue;
        for (const bool is_of_shipment : {false, true}) {
            const OrderRow& row = on.ledger.orders.at(*asked.id);
            if (auto found = check_detail(on, asked, row, is_of_shipment)) return found;
        }
        for (const auto& [number, patch] : asked.patches) {
            const std::string_view type =
                patch.is_of_shipment ? "SHIPMENT_CORRECTED" : "ORDER_DETAILS_CHANGED";
            if (patch.heard && history[{*asked.id, *patch.heard}] != type)
                return fmt::format("change {} of {} was answered with version {}, which is {}",
                                   number, on.world.trace_log.name_of(*asked.id), *patch.heard,
                                   history[{*asked.id, *patch.heard}]);
        }
    }
    return {};
}

CheckResult requests_have_one_effect(const Evidence& on) {
    std::set<std::string> references;
    for (const auto& [id, order] : on.ledger.orders) {
        if (!references.insert(order.reference).second)
            return order.reference + " was placed twice";
    }
    std::set<std::string> reasons;
    for (const MovementRow& row : on.ledger.movements) {
        if (row.order || row.reason == "CREATED") continue;
        if (!reasons.insert(row.reason).second) return "adjustment " + row.reason + " counts twice";
    }
    return {};
}

}  // namespace trackops::sim
