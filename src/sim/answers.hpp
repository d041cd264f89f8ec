// What clients hear, held against what they asked, what was heard before and what was committed
// meanwhile.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sim/reference_model.hpp"
#include "sim/replica.hpp"

namespace trackops::sim {

// An order as a body shows it.
struct ReadOrder {
    Uuid id;
    std::string status;
    std::int64_t version = 0;
    std::string created_at = {};
    std::string updated_at = {};
    std::string cancel_reason = {};
    std::string shipment = {};         // the object as text; "" when there is none
    std::string tracking_number = {};  // of the shipment
};
ReadOrder read_order(const std::string& body);

// A request to change an order, as far as its refusal depends on it.
struct Attempt {
    Uuid order;
    order::domain::Action action = order::domain::Action::process;
    std::optional<std::int64_t> expected_version;  // If-Match
    Instant first_sent;
};

class Answers {
public:
    Answers(World& world, const DatabaseServer& orders) : world_(world), orders_(orders) {}

    // The whole order that was asked for so: ETag, Location, each byte of the body.
    ReadOrder order(const Answer& answer, const std::string& reference, const ModelOrder& asked);
    // The body of GET /api/orders/{id}/status.
    ReadOrder status(const Answer& answer);
    // A change took effect, and this is the order after it.
    void change(const ReadOrder& read, const Attempt& attempt, int number);
    // 409 and 412: the order was so at some time since the change was first sent.
    void refusal(const Answer& answer, const Attempt& attempt);
    // An error that could be foreseen.
    void problem(const Answer& answer, int status, std::string_view code);
    // An answer to a key that was answered before.
    void replay(const Answer& first, const Answer& again, const std::string& what);
    // The ETag and the member `version` agree.
    void etag(const Answer& answer, std::int64_t version);

private:
    // Whatever shows a version of an order shows the same.
    void same_as_before(const ReadOrder& read);
    void kind(std::string evidence) { world_.broken("answers_are_true", std::move(evidence)); }

    World& world_;
    const DatabaseServer& orders_;
    std::map<std::pair<Uuid, std::int64_t>, ReadOrder> versions_;
    std::map<Uuid, std::string> created_at_;
};

}  // namespace trackops::sim
