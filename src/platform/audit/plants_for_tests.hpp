// Faults planted by hand, one for each invariant of a table, and what the auditor makes of them.
#pragma once
#include <map>
#include <span>
#include <string>
#include <vector>

#include "platform/audit/auditor.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::audit {

struct Plant {
    std::string_view invariant;
    std::vector<std::string> statements;
    std::vector<std::string> on_postgres = {};  // in their place there
};

inline void plant(sql::Database& database, const Plant& fault) {
    const bool is_postgres = database.dialect() == sql::Dialect::postgres;
    const auto& statements =
        is_postgres && !fault.on_postgres.empty() ? fault.on_postgres : fault.statements;
    const auto tx = database.begin(sql::Access::write);
    for (const std::string& text : statements) tx->add({"test.plant", text}, {});
    tx->commit();
}

// An auditor that has been at work for longer than anything may be overdue.
class AuditorAtHand {
public:
    AuditorAtHand(sql::Database& database, const Invariants& table, Instant now)
        : invariants(table),
          clock(now - std::chrono::hours(48)),
          auditor(database, clock, invariants, {.lines_max = 3}, metrics) {
        pass();
        clock.set(now);
    }

    // Complete passes; time goes on only while a suspicion waits. Returns what was counted.
    std::map<std::string, double> pass(int passes = 1) {
        const double until = value("trackops_audit_passes_total") + passes;
        while (value("trackops_audit_passes_total") < until) {
            const auto progress = auditor.run({});
            if (progress.done == 0) clock.advance(std::chrono::seconds(2));
        }
        std::map<std::string, double> found;
        for (const Invariant& invariant : invariants) {
            if (invariant.reads_all) continue;
            const double count = value("trackops_invariant_violations_total",
                                       {{"invariant", std::string(invariant.name)}});
            if (count > 0) found[std::string(invariant.name)] = count;
        }
        return found;
    }
    double value(const std::string& counter, const telemetry::Labels& labels = {}) {
        return metrics.counter(counter, "", labels).value();
    }

    const Invariants invariants;
    telemetry::Registry metrics;
    testing::FakeClock clock;
    Auditor auditor;
};

}  // namespace trackops::audit
