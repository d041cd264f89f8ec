#include "load/report_builder.hpp"

#include <utility>

#include <fmt/format.h>

#include "platform/json/reader.hpp"

namespace trackops::load {

namespace {

Outcome outcome_of(std::string_view status) {
    if (status == "PENDING") return Outcome::pending;
    return status == "CANCELLED" ? Outcome::cancelled : Outcome::confirmed;
}

struct Problem {
    std::string code;
    std::string detail;
};

Problem problem_of(const Response& response) {
    Problem problem{fmt::format("http-{}", response.status), response.body.substr(0, 200)};
    const auto document = json::Document::parse(response.body);
    if (!document) return problem;
    const auto root = document->root();
    if (const auto code = root.text_of("code"); !code.empty()) problem.code = code;
    problem.detail = root.text_of("detail");
    if (const auto errors = root.find("errors"))
        errors->each_element([&](std::size_t, json::Value error) {
            problem.detail +=
                fmt::format("; {} {}", error.text_of("pointer"), error.text_of("detail"));
        });
    return problem;
}

}  // namespace

Result<OrderState> read_order(std::string_view body) {
    const auto document = TRY(json::Document::parse(body));
    const auto root = document.root();
    const auto id = Uuid::parse(root.text_of("id"));
    const auto status = root.text_of("status");
    if (!id || status.empty()) return fail(Errc::malformed, "the answer is no order");
    return OrderState{*id, outcome_of(status), std::string(root.text_of("cancelReason")),
                      Instant::parse(root.text_of("createdAt")),
                      Instant::parse(root.text_of("updatedAt"))};
}

bool ReportBuilder::count(CallCounts LoadReport::* kind, const Result<Response>& response,
                          std::string_view what, std::int64_t by) {
    if (!response) {
        fail(kind, what, response.error().detail, by);
        return false;
    }
    if (response->status < 300) {
        (report_.*kind).done += by;
        return true;
    }
    const auto problem = problem_of(*response);
    if (response->status >= 400 && response->status < 500) {
        refuse(kind, problem.code, by);
        example(problem.code, what, problem.detail);
    } else {
        fail(kind, what, fmt::format("{}: {}", problem.code, problem.detail), by);
    }
    return false;
}

void ReportBuilder::fail(CallCounts LoadReport::* kind, std::string_view what,
                         std::string_view detail, std::int64_t by) {
    (report_.*kind).failed += by;
    example("failed", what, detail);
}

void ReportBuilder::example(const std::string& kind, std::string_view what,
                            std::string_view detail) {
    if (++shown_[kind] > static_cast<std::int64_t>(examples_max)) return;
    report_.examples.push_back(fmt::format("{}: {}: {}", kind, what, detail));
}

std::size_t ReportBuilder::accept(OrderState order, Duration intended, Duration now) {
    to_accepted_.add(now - intended);
    const auto first_seen = std::exchange(order.outcome, Outcome::pending);
    ++report_.pending;
    orders_.push_back({order, intended});
    // A response to ?wait or a replayed response may show a later status than PENDING.
    order.outcome = first_seen;
    record_outcome(orders_.size() - 1, order, now);
    return orders_.size() - 1;
}

void ReportBuilder::record_outcome(std::size_t number, const OrderState& seen, Duration now) {
    auto& [state, intended] = orders_[number];
    if (state.outcome == Outcome::pending && seen.outcome == Outcome::confirmed) {
        to_seen_.add(now - intended);
        if (state.created_at && seen.updated_at)
            to_confirmed_.add(*seen.updated_at - *state.created_at);
    }
    add(state, -1);
    state.outcome = seen.outcome;
    state.reason = seen.reason;
    add(state, 1);
}

void ReportBuilder::mark_lost(std::size_t number, std::string_view detail) {
    auto& state = orders_[number].state;
    add(state, -1);
    state.outcome = Outcome::lost;
    add(state, 1);
    example("lost", state.id.text(), detail);
}

void ReportBuilder::add(const OrderState& state, std::int64_t by) {
    switch (state.outcome) {
        case Outcome::pending:
            report_.pending += by;
            return;
        case Outcome::confirmed:
            report_.confirmed += by;
            return;
        case Outcome::cancelled:
            report_.cancelled[state.reason] += by;
            if (report_.cancelled[state.reason] == 0) report_.cancelled.erase(state.reason);
            return;
        case Outcome::lost:
            report_.lost += by;
            return;
    }
}

LoadReport ReportBuilder::finished() const {
    auto report = report_;
    report.to_accepted = to_accepted_.percentiles();
    report.to_confirmed = to_confirmed_.percentiles();
    report.to_seen = to_seen_.percentiles();
    return report;
}

}  // namespace trackops::load
