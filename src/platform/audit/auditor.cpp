#include "platform/audit/auditor.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::audit {
namespace {

constexpr Duration pause_max = std::chrono::minutes(1);

Invariants bounded(Invariants invariants) {
    std::erase_if(invariants, [](const Invariant& invariant) { return invariant.reads_all; });
    return invariants;
}

}  // namespace

Auditor::Auditor(sql::Database& database, const Clock& clock, Invariants invariants,
                 AuditorOptions options, telemetry::Registry& metrics)
    : database_(database),
      clock_(clock),
      invariants_(bounded(std::move(invariants))),
      options_(options),
      scans_(scans_of(invariants_)),
      suspicions_(metrics.counter("trackops_audit_suspicions_total",
                                  "Violations at first sight; a second look decides")),
      rows_(metrics.counter("trackops_audit_rows_total", "Rows the auditor walked along")),
      passes_(metrics.counter("trackops_audit_passes_total", "Complete passes of the auditor")),
      last_pass_(metrics.gauge("trackops_audit_last_pass_timestamp_seconds",
                               "When the auditor last ended a complete pass, 0 before the first")),
      from_(start_of(scans_.front())) {
    for (const Invariant& invariant : invariants_) {
        violations_[invariant.name] = &metrics.counter(
            "trackops_invariant_violations_total",
            "What must never be and was found twice; counted anew in each pass; must read 0",
            {{"invariant", std::string(invariant.name)}});
    }
}

runtime::Progress Auditor::run(Duration) {
    const Instant now = clock_.now();
    const CheckTime at{now, std::min(reading_since_.value_or(now), now)};
    reading_since_.reset();
    const runtime::Progress progress = suspected_ ? recheck_page(at) : check_next_page(at);
    reading_since_ = at.reading_since;  // reached only if nothing was thrown
    return progress;
}

runtime::Progress Auditor::check_next_page(const CheckTime& at) {
    Page page = read_page(database_, invariants_, scan(), from_, at);
    rows_.add(static_cast<double>(page.rows));
    if (page.violations.empty()) return advance(page, at.now);
    suspicions_.add(static_cast<double>(page.violations.size()));
    suspected_ = SuspectedViolation{std::move(page), at.now};
    return {0, options_.recheck_delay};
}

runtime::Progress Auditor::recheck_page(const CheckTime& at) {
    // A recheck does not wait for a clock that has stepped back.
    suspected_->since = std::min(suspected_->since, at.now);
    const Duration waited = at.now - suspected_->since;
    if (waited < options_.recheck_delay) return {0, options_.recheck_delay - waited};
    const auto still = reread_page(database_, invariants_, scan(), suspected_->page.range, at);
    const Page page = std::exchange(suspected_, std::nullopt)->page;
    for (const Violation& violation : page.violations) {
        if (std::ranges::find(still, violation) != still.end()) report(violation);
    }
    return advance(page, at.now);
}

runtime::Progress Auditor::advance(const Page& page, Instant started) {
    const auto rows = static_cast<std::size_t>(page.rows);
    from_ = page.range.to;
    if (page.is_last) {
        scan_index_ = (scan_index_ + 1) % scans_.size();
        from_ = start_of(scan());
    }
    const Duration took = std::clamp(clock_.now() - started, Duration::zero(), pause_max);
    const Duration pause = std::clamp(took * options_.pause_factor, options_.pause,
                                      std::max(options_.pause, pause_max));
    if (!page.is_last || scan_index_ != 0) return {rows, pause};
    end_pass();
    return {rows, std::max(pause, options_.rest)};
}

void Auditor::end_pass() {
    constexpr double micros_a_second = 1e6;
    last_pass_.set(static_cast<double>(clock_.now().micros) / micros_a_second);
    passes_.add();
    if (found_in_pass_ > options_.lines_max) {
        telemetry::log(telemetry::Level::error, "audit", "more is broken than was logged",
                       {{"logged", fmt::to_string(options_.lines_max)},
                        {"found", fmt::to_string(found_in_pass_)}});
    }
    found_in_pass_ = 0;
}

void Auditor::report(const Violation& violation) {
    violations_.at(violation.invariant)->add();
    if (found_in_pass_++ >= options_.lines_max) return;
    telemetry::log(telemetry::Level::error, "audit", "an invariant is broken",
                   {{"invariant", std::string(violation.invariant)},
                    {"protects", std::string(violation.description)},
                    {"subject", violation.subject},
                    {"evidence", violation.evidence}});
}

}  // namespace trackops::audit
