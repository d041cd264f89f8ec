// Histograms of answered requests, found without a lock. Only the I/O thread uses them.
#pragma once
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/conversation.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::http {

class AccessMetrics {
public:
    AccessMetrics(telemetry::Registry& registry, const std::vector<Route>& routes);
    // Records the duration from the first byte of a request to its response.
    void observe(const Conversation::Access& access);
    void reached(Limit limit) { limits_[static_cast<std::size_t>(limit)]->add(); }

private:
    static constexpr std::size_t limit_count = static_cast<std::size_t>(Limit::handshake_bytes) + 1;
    struct Row {
        std::string method;
        std::string uri;
        std::vector<std::pair<int, telemetry::Histogram*>> by_status = {};
    };
    Row& row_of(const Conversation::Access& access);
    telemetry::Registry& registry_;
    const Route* first_route_;
    std::vector<Row> rows_;  // two for each route: its method, and HEAD
    // Requests without a route: one row per known method, the last row for all others.
    std::vector<Row> unknown_;
    std::array<telemetry::Counter*, limit_count> limits_{};
};

}  // namespace trackops::http
