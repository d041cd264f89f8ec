// Keeps the books of a run: what was asked, how it was answered, what became of each order.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"
#include "load/http_client.hpp"
#include "load/latency_histogram.hpp"

namespace trackops::load {

inline constexpr std::size_t examples_max = 3;  // of each kind and code

enum class Outcome : std::uint8_t { pending, confirmed, cancelled, lost };

// What an order's body or its status says.
struct OrderState {
    Uuid id;
    Outcome outcome = Outcome::pending;
    std::string reason;  // why it was cancelled
    std::optional<Instant> created_at;
    std::optional<Instant> updated_at;
};
Result<OrderState> read_order(std::string_view body);

class ReportBuilder {
public:
    // A 2xx counts as done (true); a 4xx as refused by its code, anything else as failed, each with
    // an example that names `what`. by: how many things the call was about.
    bool count(CallCounts LoadReport::* kind, const Result<Response>& response,
               std::string_view what, std::int64_t by = 1);
    void refuse(CallCounts LoadReport::* kind, const std::string& code, std::int64_t by = 1) {
        (report_.*kind).refused[code] += by;
    }
    void fail(CallCounts LoadReport::* kind, std::string_view what, std::string_view detail,
              std::int64_t by = 1);
    void example(const std::string& kind, std::string_view what, std::string_view detail);

    // An order that was answered with 201 and is pending; the number that it goes by here.
    std::size_t accept(OrderState order, Duration intended, Duration now);
    const OrderState& order(std::size_t number) const { return orders_[number].state; }
    // What was seen of it. A later outcome replaces an earlier one: a confirmed order can be
    // cancelled.
    void record_outcome(std::size_t number, const OrderState& seen, Duration now);
    void mark_lost(std::size_t number, std::string_view detail);

    LoadReport& report() { return report_; }
    LoadReport finished() const;  // with the percentiles worked out

private:
    struct Order {
        OrderState state;
        Duration intended{};
    };
    void add(const OrderState& state, std::int64_t by);
    LoadReport report_;
    std::vector<Order> orders_;  // grows with the input: any of them may still be cancelled
    Counts shown_;
    LatencyHistogram to_accepted_;
    LatencyHistogram to_confirmed_;
    LatencyHistogram to_seen_;
};

}  // namespace trackops::load
