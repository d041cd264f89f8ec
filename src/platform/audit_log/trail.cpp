#include "platform/audit_log/trail.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "platform/http/client_text.hpp"
#include "platform/http/target.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::audit_log {
namespace {

constexpr std::size_t subject_bytes_max = 512;
constexpr std::string_view login_pattern = "/api/sessions";

telemetry::Counter& entries(telemetry::Registry& metrics, const char* outcome) {
    return metrics.counter("trackops_audit_entries_total", "Entries for the audit log",
                           {{"outcome", outcome}});
}

bool is_login(const http::AnsweredRequest& request) {
    return request.route && request.route->pattern == login_pattern && request.method == "POST";
}

bool is_act(std::string_view method, const http::Route& route, const http::Principal& caller) {
    if (method == "GET" || method == "HEAD" || method == "OPTIONS") return false;
    const http::Scope scope = route.scope;
    return !caller.session.empty() || scope == http::Scope::operate || scope == http::Scope::admin;
}

std::string action_of(std::string_view method, const http::Route* route) {
    return fmt::format("{} {}", method, route ? route->pattern : std::string_view("(no route)"));
}

// A path may hold any bytes; in this form it is plain ASCII.
std::string subject_of(std::string_view path) {
    return http::percent_encoded_path(path).substr(0, subject_bytes_max);
}

}  // namespace

Trail::Trail(sql::Database& database, std::string service, const Clock& clock,
             telemetry::Registry& metrics)
    : database_(database),
      service_(std::move(service)),
      clock_(clock),
      written_(entries(metrics, "written")),
      dropped_(entries(metrics, "dropped")) {}

AuditedActPtr Trail::act_of(const http::ArrivedRequest& request) {
    if (!is_act(request.method, request.route, request.caller)) return nullptr;
    const auto act = std::make_shared<AuditedAct>();
    act->service = service_;
    act->actor = request.caller.name;
    act->address = http::client_text(request.client);
    act->action = action_of(request.method, &request.route);
    act->subject = subject_of(request.path);
    act->correlation_id = request.correlation_id;
    return act;
}

void Trail::answered(const http::AnsweredRequest& request) {
    if (is_login(request) || (request.act != nullptr && request.act->is_committed)) return;
    if (request.status == 401 || request.status == 403) return refused(request);
    if (!request.route || !is_act(request.method, *request.route, request.caller)) return;
    note({.actor = request.caller.name,
          .address = http::client_text(request.client),
          .action = action_of(request.method, request.route),
          .subject = subject_of(request.path),
          .outcome = fmt::to_string(request.status),
          .correlation_id = std::string(request.correlation_id)});
}

void Trail::refused(const http::AnsweredRequest& request) {
    const std::string address = http::client_text(request.client);
    const std::string key =
        fmt::format("{}\n{}\n{}", request.caller.name,
                    request.caller.is_authenticated ? "" : address, request.status);
    const std::lock_guard lock(mutex_);
    const auto found = refusing_.find(key);
    if (found != refusing_.end()) {
        ++found->second.occurrences;
    } else if (refusing_.size() < refusing_max) {
        refusing_.emplace(key, Entry{.at = clock_.now(),
                                     .service = service_,
                                     .actor = request.caller.name,
                                     .address = address,
                                     .action = "refused",
                                     .subject = action_of(request.method, request.route),
                                     .outcome = fmt::to_string(request.status),
                                     .correlation_id = std::string(request.correlation_id)});
    } else {
        dropped_.add();
    }
}

void Trail::note(Entry entry) {
    entry.at = clock_.now();
    entry.service = service_;
    const std::lock_guard lock(mutex_);
    keep(std::move(entry));
}

// Requires mutex_.
void Trail::keep(Entry entry) {
    if (waiting_.size() < waiting_max)
        waiting_.push_back(std::move(entry));
    else
        dropped_.add();
}

// Requires mutex_. Moves the refusals whose window is over, or all, to the entries that wait.
void Trail::count_refusals(bool all) {
    const Instant now = clock_.now();
    for (auto one = refusing_.begin(); one != refusing_.end();) {
        if (!all && now < one->second.at + refusals_window) {
            ++one;
            continue;
        }
        keep(std::move(one->second));
        one = refusing_.erase(one);
    }
}

runtime::Progress Trail::run(Duration) {
    {
        const std::lock_guard lock(mutex_);
        count_refusals(false);
    }
    return {write() ? std::size_t{1} : 0, interval};
}

// Writes one batch. Returns whether there was one.
bool Trail::write() {
    std::vector<Entry> batch;
    {
        const std::lock_guard lock(mutex_);
        const auto count = static_cast<std::ptrdiff_t>(std::min(batch_max, waiting_.size()));
        batch.assign(waiting_.begin(), waiting_.begin() + count);
    }
    if (batch.empty()) return false;
    const auto tx = database_.begin(sql::Access::write);
    append(*tx, batch);
    tx->commit();
    // Only this thread takes from the front, so the batch is still there.
    const std::lock_guard lock(mutex_);
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
    written_.add(static_cast<double>(batch.size()));
    return true;
}

void Trail::close() {
    {
        const std::lock_guard lock(mutex_);
        count_refusals(true);
    }
    try {
        while (write()) {
        }
    } catch (const sql::Failure& failure) {
        const std::lock_guard lock(mutex_);
        dropped_.add(static_cast<double>(waiting_.size()));
        telemetry::log(telemetry::Level::error, "audit",
                       "entries of the audit log are lost at the end of the program",
                       {{"entries", std::to_string(waiting_.size())}, {"error", failure.what()}});
        waiting_.clear();
    }
}

}  // namespace trackops::audit_log
