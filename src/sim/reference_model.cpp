#include "sim/reference_model.hpp"

#include <algorithm>

namespace trackops::sim {
namespace {

using order::domain::Action;
using order::domain::Status;

// Returns the statuses that the order can reach from `start`, by itself or by any change that was
// requested and not refused.
Statuses reachable_from(Status start, const ModelOrder& order) {
    const auto may_happen = [&](const order::domain::Transition& row) {
        if (row.from == Status::pending) return true;
        return std::ranges::any_of(order.changes, [&](const auto& entry) {
            return entry.second.action == row.action && !entry.second.is_refused;
        });
    };
    Statuses reached;
    reached.add(start);
    for (Statuses before; before != reached;) {
        before = reached;
        for (const order::domain::Transition& row : order::domain::transitions) {
            if (reached.has(row.from) && may_happen(row)) reached.add(row.to);
        }
    }
    return reached;
}

}  // namespace

std::string Statuses::text() const {
    std::string text;
    for (const Status status : order::domain::statuses) {
        if (!has(status)) continue;
        text += text.empty() ? "" : ", ";
        text += order::domain::name_of(status);
    }
    return text.empty() ? "none" : text;
}

// Adds the statuses that the order can reach by itself or by changes that were sent and may still
// take effect.
void ReferenceModel::close(ModelOrder& order) {
    for (Statuses before; before != order.possible;) {
        before = order.possible;
        if (before.has(Status::pending)) {
            order.possible.add(Status::confirmed);
            order.possible.add(Status::cancelled);
        }
        for (const auto& [number, change] : order.changes) {
            if (change.heard || change.is_refused) continue;
            for (const Status from : order::domain::statuses) {
                const auto to = order::domain::next(from, change.action);
                if (before.has(from) && to) order.possible.add(*to);
            }
        }
    }
}

void ReferenceModel::order_requested(const std::string& reference, const Lines& lines) {
    order_requested(reference, ModelOrder{.lines = lines});
}

void ReferenceModel::order_requested(const std::string& reference, const ModelOrder& asked) {
    const auto [found, is_new] = orders_.try_emplace(reference, asked);
    if (!is_new) return;
    found->second.possible.add(Status::pending);
    close(found->second);
}

void ReferenceModel::change_sent(const std::string& reference, int change, Action action) {
    ModelOrder& order = orders_.at(reference);
    ModelChange& sent = order.changes[change];
    sent.action = action;
    close(order);
}

bool ReferenceModel::change_confirmed(const std::string& reference, int change, Status status,
                                      std::int64_t version) {
    ModelOrder& order = orders_.at(reference);
    const auto agrees = [&](const auto& entry) {
        if (!entry.second.heard) return true;
        const auto& [other, other_version] = *entry.second.heard;
        if (other_version == version) return other == status;
        return other_version < version ? reachable_from(other, order).has(status)
                                       : reachable_from(status, order).has(other);
    };
    const bool is_possible = std::ranges::all_of(order.changes, agrees);
    order.changes.at(change).heard.emplace(status, version);
    order.possible = order.possible.only(reachable_from(status, order));
    close(order);
    return is_possible && !order.possible.is_empty();
}

void ReferenceModel::change_refused(const std::string& reference, int change) {
    orders_.at(reference).changes.at(change).is_refused = true;
}

void ReferenceModel::patch_sent(const std::string& reference, int change, bool is_of_shipment) {
    orders_.at(reference).patches[change].is_of_shipment = is_of_shipment;
}

void ReferenceModel::patch_confirmed(const std::string& reference, int change,
                                     std::int64_t version) {
    orders_.at(reference).patches.at(change).heard = version;
}

void ReferenceModel::patch_refused(const std::string& reference, int change) {
    orders_.at(reference).patches.at(change).is_refused = true;
}

void ReferenceModel::customer_erased(const std::string& id) {
    ModelCustomer& customer = customers_.at(id);
    customer = {"", customer.version + 1};
    erased_customers_.push_back(id);
}

void ReferenceModel::order_erased(const std::string& reference, const std::string& after_status) {
    ModelOrder& order = orders_.at(reference);
    order.after_status = after_status;
    order.is_erased = true;
}

void ReferenceModel::adjustment_sent(const std::string& reason, const std::string& sku,
                                     std::int64_t delta) {
    adjustments_.try_emplace(reason, ModelAdjustment{.sku = sku, .delta = delta});
}

bool ReferenceModel::may_be_out_of_stock(const std::string& reference) const {
    const ModelOrder& order = orders_.at(reference);
    return std::ranges::any_of(order.lines, [&](const auto& line) {
        const auto& [sku, quantity] = line;
        const auto stocked = initial_.find(sku);
        if (stocked == initial_.end()) return true;
        std::int64_t left = stocked->second;
        for (const auto& [reason, adjustment] : adjustments_) {
            if (adjustment.sku == sku) left += std::min<std::int64_t>(adjustment.delta, 0);
        }
        for (const auto& [other, asked] : orders_) {
            const auto wanted = asked.lines.find(sku);
            if (other != reference && wanted != asked.lines.end()) left -= wanted->second;
        }
        return left < quantity;
    });
}

}  // namespace trackops::sim
