// The reference model: a plain shop in memory that is told what its customers ask and hear, and
// says what may have become of each order and of the stock. No database, no events, no faults.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "order/domain/status.hpp"

namespace trackops::sim {

using Lines = std::map<std::string, std::int64_t>;  // quantities by SKU

// A set of statuses in which an order may be.
class Statuses {
public:
    void add(order::domain::Status status) { bits_ |= bit(status); }
    bool has(order::domain::Status status) const { return (bits_ & bit(status)) != 0; }
    bool is_empty() const { return bits_ == 0; }
    Statuses only(const Statuses& others) const { return Statuses(bits_ & others.bits_); }
    std::string text() const;
    Statuses() = default;
    bool operator==(const Statuses&) const = default;

private:
    explicit Statuses(unsigned bits) : bits_(bits) {}
    static unsigned bit(order::domain::Status status) {
        return 1U << static_cast<unsigned>(status);
    }
    unsigned bits_ = 0;
};

// A request to change an order: several attempts under one key are one request.
struct ModelChange {
    order::domain::Action action = order::domain::Action::process;
    std::optional<std::pair<order::domain::Status, std::int64_t>>
        heard;  // status and version after it
    bool is_refused = false;
};

struct ModelOrder {
    Lines lines;
    // The members of its body that never change, as JSON: those before `status` and those behind.
    std::string before_status = {};
    std::string after_status = {};
    std::optional<Uuid> id = {};  // once it was heard
    std::map<int, ModelChange> changes = {};
    Statuses possible = {};
};

struct ModelAdjustment {
    std::string sku;
    std::int64_t delta = 0;
    bool is_done = false;  // heard of
};

class ReferenceModel {
public:
    void stock(const std::string& sku, std::int64_t on_hand) { initial_[sku] = on_hand; }

    // An order is asked for under its reference, which no other has.
    void order_requested(const std::string& reference, const Lines& lines);
    // The same with what its body says: see ModelOrder.
    void order_requested(const std::string& reference, const ModelOrder& asked);
    void order_accepted(const std::string& reference, Uuid id) { orders_.at(reference).id = id; }
    // A change is sent: it may take effect from now on.
    void change_sent(const std::string& reference, int change, order::domain::Action action);
    // Its success is heard: the order was in this status, in this version, at some time until now.
    // False: by all that was heard before, it cannot have been.
    bool change_confirmed(const std::string& reference, int change, order::domain::Status status,
                          std::int64_t version);
    // The refusal of a change that was sent only once is heard: it does not happen any more.
    void change_refused(const std::string& reference, int change);

    void adjustment_sent(const std::string& reason, const std::string& sku, std::int64_t delta);
    void adjustment_confirmed(const std::string& reason) { adjustments_.at(reason).is_done = true; }

    // Whether stock may have been short for this order, in whatever order things came.
    bool may_be_out_of_stock(const std::string& reference) const;

    const std::map<std::string, ModelOrder>& orders() const { return orders_; }
    const std::map<std::string, ModelAdjustment>& adjustments() const { return adjustments_; }
    const std::map<std::string, std::int64_t>& initial() const { return initial_; }

private:
    static void close(ModelOrder& order);

    std::map<std::string, ModelOrder> orders_;  // by reference
    std::map<std::string, ModelAdjustment> adjustments_;
    std::map<std::string, std::int64_t> initial_;
};

}  // namespace trackops::sim
