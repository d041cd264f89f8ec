// Checks the answers that clients receive: against their requests, against earlier answers and
// against the committed changes.
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

// An order as the body of an answer shows it.
struct ReadOrder {
    Uuid id;
    std::string status;
    std::int64_t version = 0;
    std::string created_at = {};
    std::string updated_at = {};
    std::string cancel_reason = {};
    // The array as JSON text; "" if there is none.
    std::string cancel_details = {};
    // The object as JSON text; "" if there is none.
    std::string shipment = {};
    // The tracking number of the shipment.
    std::string tracking_number = {};
    std::string instructions = {};
};
ReadOrder read_order(const std::string& body);

// The number at the end of a tracking number or of delivery instructions: that of the change which
// set them. 0 without one.
int number_in(std::string_view text);

// The kinds of a change: a step of the order's life, or a change of its details.
enum class ChangeKind : std::uint8_t { step, terms, shipment };

// The parts of a request to change an order that decide whether it may be refused.
struct Attempt {
    Uuid order;
    order::domain::Action action = order::domain::Action::process;  // of a step
    std::optional<std::int64_t> expected_version;                   // If-Match
    Instant first_sent;
    ChangeKind kind = ChangeKind::step;
    std::string name() const;
};

class Answers {
public:
    Answers(World& world, const DatabaseServer& orders) : world_(world), orders_(orders) {}

    // Checks an answer that holds the whole order which `asked` describes: the ETag, Location and
    // each byte of the body.
    ReadOrder order(const Answer& answer, const std::string& reference, const ModelOrder& asked);
    // Checks an answer to GET /api/orders/{id}/status.
    ReadOrder status(const Answer& answer);
    // Checks the order in a 200 answer to a change: the change took effect, and `read` is the order
    // after it.
    void change(const ReadOrder& read, const Attempt& attempt, int number);
    // The same for a change of details.
    void patch(const ReadOrder& read, const Attempt& attempt, int number);
    // Checks a 409 or 412: at some time since the change was first sent, the order was in a version
    // that justifies the refusal.
    void refusal(const Answer& answer, const Attempt& attempt);
    // Checks that the answer is the expected problem.
    void problem(const Answer& answer, int status, std::string_view code);
    // Checks that `again`, the answer to a repeated idempotency key, equals `first` and is marked
    // as a replay.
    void replay(const Answer& first, const Answer& again, const std::string& what);
    // Checks that the ETag agrees with the member `version`.
    void etag(const Answer& answer, std::int64_t version);

private:
    // All answers that show one version of an order must show the same content.
    void same_as_before(const ReadOrder& read);
    void details(const ReadOrder& read, const ModelOrder& asked, const std::string& reference);
    void kind(std::string evidence) { world_.broken("answers_are_true", std::move(evidence)); }

    World& world_;
    const DatabaseServer& orders_;
    std::map<std::pair<Uuid, std::int64_t>, ReadOrder> versions_;
    std::map<Uuid, std::string> created_at_;
    std::map<std::pair<Uuid, std::int64_t>, std::string> details_;  // by order and version
};

}  // namespace trackops::sim
