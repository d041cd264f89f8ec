// Builds the report of a run: counts the calls, their responses and the outcome of each order.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "load/http_client.hpp"
#include "load/latency_histogram.hpp"

namespace trackops::load {

// The maximum number of examples of each kind and code.
inline constexpr std::size_t examples_max = 3;

enum class Outcome : std::uint8_t { pending, confirmed, cancelled, lost };

// The content of an order's body or status response.
struct OrderState {
    Uuid id;
    Outcome outcome = Outcome::pending;
    // The cancellation reason.
    std::string reason;
    std::optional<Instant> created_at;
    std::optional<Instant> updated_at;
};
Result<OrderState> read_order(std::string_view body);

class ReportBuilder {
public:
    // Counts a 2xx response as done and returns true. Counts a 4xx as refused by its code and any
    // other result as failed, each with an example that names `what`, and returns false. `by` is
    // the number of things that the call was about.
    bool count(CallCounts LoadReport::* kind, const Result<Response>& response,
               std::string_view what, std::int64_t by = 1);
    void refuse(CallCounts LoadReport::* kind, const std::string& code, std::int64_t by = 1) {
        (report_.*kind).refused[code] += by;
    }
    void fail(CallCounts LoadReport::* kind, std::string_view what, std::string_view detail,
              std::int64_t by = 1);
    void example(const std::string& kind, std::string_view what, std::string_view detail);

    // Registers an order that was answered with a 2xx as accepted. Returns the number that
    // identifies the order in this report.
    std::size_t accept(OrderState order, Duration intended, Duration now);
    const OrderState& order(std::size_t number) const { return orders_[number].state; }
    // Records the status that was seen of an order. A later outcome replaces an earlier one: a
    // confirmed order can be cancelled.
    void record_outcome(std::size_t number, const OrderState& seen, Duration now);
    void mark_lost(std::size_t number, std::string_view detail);

    LoadReport& report() { return report_; }
    // Returns the report with its percentiles.
    LoadReport finished() const;

private:
    struct Order {
        OrderState state;
        Duration intended{};
    };
    void add(const OrderState& state, std::int64_t by);
    LoadReport report_;
    // Grows with the input, because any order may still be cancelled.
    std::vector<Order> orders_;
    Counts shown_;
    LatencyHistogram to_accepted_;
    LatencyHistogram to_confirmed_;
    LatencyHistogram to_seen_;
};

}  // namespace trackops::load
