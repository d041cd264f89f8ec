// The reference model: an in-memory account of which statuses each order may have, and of the
// stock. Clients report their requests and the answers to it. It has no database, no events and no
// faults.
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

using Lines = std::map<std::string, std::int64_t>;  // quantity by SKU

// The set of statuses that an order may have.
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

// A request to change an order. Several attempts with one idempotency key are one request.
struct ModelChange {
    order::domain::Action action = order::domain::Action::process;
    // Status and version after the change, once an answer has confirmed it.
    std::optional<std::pair<order::domain::Status, std::int64_t>> heard;
    bool is_refused = false;
};

// A request to change the details of an order. It sets the delivery instructions, or the tracking
// number, to a text with the number of the change.
struct ModelPatch {
    bool is_of_shipment = false;
    std::optional<std::int64_t> heard;  // the version after it, once an answer has confirmed it
    bool is_refused = false;
};

struct ModelOrder {
    Lines lines;
    // The members of the order's body that never change, as JSON: those before `status`, those
    // between it and the delivery instructions, and those after them.
    std::string before_status = {};
    std::string after_status = {};
    std::string metadata = {};
    std::optional<Uuid> id = {};  // set once an answer has named it
    std::map<int, ModelChange> changes = {};
    std::map<int, ModelPatch> patches = {};
    Statuses possible = {};
    // The customer and the first line of the address that the order names by id; "" for an address
    // of its own.
    std::string customer = {};
    std::string address_line = {};
    bool is_erased = false;  // with its customer
};

struct ModelAdjustment {
    std::string sku;
    std::int64_t delta = 0;
    bool is_done = false;  // an answer has confirmed it
};

// A customer as its answers have shown it.
struct ModelCustomer {
    std::string name;
    std::int64_t version = 1;
    std::map<std::string, std::string> addresses = {};  // line1 by id
    std::string default_address = {};                   // "" without addresses
    bool operator==(const ModelCustomer&) const = default;
};

class ReferenceModel {
public:
    void stock(const std::string& sku, std::int64_t on_hand) { initial_[sku] = on_hand; }

    // An order is requested with `reference`, which must be unique. A repetition changes nothing.
    void order_requested(const std::string& reference, const Lines& lines);
    // The same, with the members of its body: see ModelOrder.
    void order_requested(const std::string& reference, const ModelOrder& asked);
    void order_accepted(const std::string& reference, Uuid id) { orders_.at(reference).id = id; }
    // A change is sent: it may take effect from now on.
    void change_sent(const std::string& reference, int change, order::domain::Action action);
    // An answer confirms the change: the order was in this status and version at some time until
    // now. Returns false if this contradicts earlier answers.
    bool change_confirmed(const std::string& reference, int change, order::domain::Status status,
                          std::int64_t version);
    // A change that was sent only once is refused: it can no longer take effect.
    void change_refused(const std::string& reference, int change);

    // The same for a change of details, which leaves the status as it is.
    void patch_sent(const std::string& reference, int change, bool is_of_shipment);
    void patch_confirmed(const std::string& reference, int change, std::int64_t version);
    void patch_refused(const std::string& reference, int change);

    void adjustment_sent(const std::string& reason, const std::string& sku, std::int64_t delta);
    void adjustment_confirmed(const std::string& reason) { adjustments_.at(reason).is_done = true; }

    // Returns true if stock may have been short for this order in any order of the commands.
    bool may_be_out_of_stock(const std::string& reference) const;

    const std::map<std::string, ModelOrder>& orders() const { return orders_; }
    const std::map<std::string, ModelAdjustment>& adjustments() const { return adjustments_; }
    const std::map<std::string, std::int64_t>& initial() const { return initial_; }
    // An answer confirms that the customer, or an order of it, is erased.
    void customer_erased(const std::string& id);
    void order_erased(const std::string& reference, const std::string& after_status);
    const std::vector<std::string>& erased_customers() const { return erased_customers_; }
    std::map<std::string, ModelCustomer>& customers() { return customers_; }
    const std::map<std::string, ModelCustomer>& customers() const { return customers_; }

private:
    static void close(ModelOrder& order);

    std::map<std::string, ModelOrder> orders_;  // by reference
    std::map<std::string, ModelAdjustment> adjustments_;
    std::map<std::string, std::int64_t> initial_;
    std::map<std::string, ModelCustomer> customers_;  // by id
    std::vector<std::string> erased_customers_;       // their ids
};

}  // namespace trackops::sim
