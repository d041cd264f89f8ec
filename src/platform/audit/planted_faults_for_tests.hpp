// For tests: plants one fault for each invariant of a table and reports what the auditor counts.
#pragma once
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "platform/audit/auditor.hpp"
#include "platform/audit/check_all.hpp"
#include "platform/telemetry/metrics.hpp"
#include "testing/fakes.hpp"

namespace trackops::audit {

struct PlantedFault {
    std::string_view invariant;
    std::vector<std::string> statements;
    std::vector<std::string> on_postgres = {};  // replaces them on PostgreSQL
};

inline void plant(sql::Database& database, const PlantedFault& fault) {
    const bool is_postgres = database.dialect() == sql::Dialect::postgres;
    const auto& statements =
        is_postgres && !fault.on_postgres.empty() ? fault.on_postgres : fault.statements;
    const auto tx = database.begin(sql::Access::write);
    for (const std::string& text : statements) tx->add({"test.plant", text}, {});
    tx->commit();
}

// The same invariants, scanned in pages of `rows_max` rows. With one row, each key is the last of
// its page.
class InPagesOf {
public:
    InPagesOf(std::int64_t rows_max, Invariants table) : invariants(std::move(table)) {
        for (Invariant& invariant : invariants) {
            if (invariant.scan == nullptr) continue;
            Scan& scan = scans_.try_emplace(invariant.scan, *invariant.scan).first->second;
            scan.rows_max = rows_max;
            invariant.scan = &scan;
        }
    }
    InPagesOf(const InPagesOf&) = delete;
    InPagesOf& operator=(const InPagesOf&) = delete;

    Invariants invariants;

private:
    std::map<const Scan*, Scan> scans_;
};

// Returns the number of violations of each broken invariant, scanned in pages of `rows_max` rows.
inline std::map<std::string, std::int64_t> violations(sql::Database& database,
                                                      const Invariants& table, Instant now,
                                                      std::int64_t rows_max) {
    const InPagesOf pages(rows_max, table);
    std::map<std::string, std::int64_t> found;
    for (const auto& finding : check_all(database, pages.invariants, {now, {0}})) {
        if (finding.violations > 0) found[std::string(finding.invariant)] = finding.violations;
    }
    return found;
}

// An auditor that has been running for longer than anything may be overdue.
class AuditorFixture {
public:
    AuditorFixture(sql::Database& database, const Invariants& table, Instant now)
        : invariants(table),
          clock(now - std::chrono::hours(48)),
          auditor(database, clock, invariants, {.lines_max = 3}, metrics) {
        pass();
        clock.set(now);
    }

    // Runs complete passes. The clock advances only while a suspected violation awaits its recheck.
    // Returns the counted violations by invariant.
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
