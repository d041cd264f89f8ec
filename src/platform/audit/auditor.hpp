// Checks the invariants of a service's own database for as long as the service runs.
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
    Duration pause = std::chrono::milliseconds(100);  // minimum between two pages
    // The pause is this many times the page's duration, but at least `pause` and at most a minute.
    int pause_factor = 51;
    Duration rest = std::chrono::seconds(10);  // after the last page of a pass
    // Between the first read and the recheck of a suspect page.
    Duration recheck_delay = std::chrono::seconds(2);
    std::size_t lines_max = 20;  // logged violations of one pass; further ones are only counted
};

// Checks all invariants, one page per call, each page in its own read transaction. A violation
// counts if a recheck of its page finds it unchanged: it increments
// trackops_invariant_violations_total{invariant} (once in each pass for as long as it lasts) and is
// logged with its evidence. Every replica has its own auditor; they share nothing.
class Auditor final : public runtime::Pump {
public:
    // The database, the clock and the registry outlive the auditor.
    Auditor(sql::Database& database, const Clock& clock, Invariants invariants,
            AuditorOptions options, telemetry::Registry& metrics);
    // Does not wait. Throws sql::Failure if a read fails; the next call reads the page again.
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
    const Invariants invariants_;  // without those marked reads_all
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
    std::optional<Instant> reading_since_;  // start of the period without failed reads
    std::size_t found_in_pass_ = 0;
};

}  // namespace trackops::audit
