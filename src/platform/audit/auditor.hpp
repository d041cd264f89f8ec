// Looks for what must never be, in a service's own database, for as long as the service runs.
#pragma once
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "platform/audit/page.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::telemetry {
class Counter;
class Gauge;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::audit {

struct AuditorOptions {
    Duration pause = std::chrono::milliseconds(100);   // between two pages, at least
    int pause_factor = 51;                             // and so many times as long as a page took
    Duration rest = std::chrono::seconds(10);          // after the last page
    Duration recheck_delay = std::chrono::seconds(2);  // how long a suspicion has to go away
    std::size_t lines_max = 20;                        // logged a pass; more are only counted
};

// Walks through all invariants, a page a call, each page in a reading transaction of its own. What
// it finds counts when a second look finds the same: trackops_invariant_violations_total{invariant}
// (each pass counts anew what is still broken) and a line in the log with the evidence. A replica
// has its own auditor; nothing is shared.
class Auditor final : public runtime::Pump {
public:
    // The database, the clock and the registry outlive the auditor.
    Auditor(sql::Database& database, const Clock& clock, Invariants invariants,
            AuditorOptions options, telemetry::Registry& metrics);
    // Waits for nothing. Throws sql::Failure: the page is read anew at the next call.
    runtime::Progress run(Duration max_wait) override;

private:
    struct SuspectedViolation {
        Page page;
        Instant since;
    };

    const Scan* scan() const { return scans_.at(scan_index_); }
    runtime::Progress check_next_page(const CheckTime& at);
    runtime::Progress recheck_page(const CheckTime& at);
    runtime::Progress advance(const Page& page, Instant started);
    void end_pass();
    void report(const Violation& violation);

    sql::Database& database_;
    const Clock& clock_;
    const Invariants invariants_;  // of those that a pass may read
    const AuditorOptions options_;
    const std::vector<const Scan*> scans_;
    std::map<std::string_view, telemetry::Counter*> violations_;
    telemetry::Counter& suspicions_;
    telemetry::Counter& rows_;
    telemetry::Counter& passes_;
    telemetry::Gauge& last_pass_;

    std::size_t scan_index_ = 0;
    sql::Value from_;
    std::optional<SuspectedViolation> suspected_;
    std::optional<Instant> reading_since_;  // no read has failed since
    std::size_t found_in_pass_ = 0;
};

}  // namespace trackops::audit
