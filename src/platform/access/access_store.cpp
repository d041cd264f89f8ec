#include "platform/access/access_store.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace trackops::access {
namespace {

// Two writes within one tick of the kernel's clock may leave the same stamp. After this time the
// tick is over, whatever the file system.
constexpr std::int64_t settle_nanoseconds = 2'000'000'000;

telemetry::Counter& reads(telemetry::Registry& metrics, const std::string& outcome) {
    return metrics.counter("trackops_access_file_reads_total",
                           "Versions of the access file that were read", {{"outcome", outcome}});
}

}  // namespace

AccessStore::AccessStore(std::string path, const Clock& clock, telemetry::Registry& metrics)
    : path_(std::move(path)),
      clock_(clock),
      accepted_(reads(metrics, "accepted")),
      refused_(reads(metrics, "refused")),
      in_force_(metrics.gauge("trackops_access_file_in_force",
                              "1 unless the present version of the access file is refused")),
      keys_(metrics.gauge("trackops_access_keys", "Service keys of the access file")),
      operators_(metrics.gauge("trackops_access_operators", "Operators of the access file")) {
    for (std::size_t i = 0; i < outcome_count; ++i) {
        const auto outcome = static_cast<Outcome>(i);
        if (outcome == Outcome::absent || outcome == Outcome::accepted) continue;
        refusals_.at(i) = &metrics.counter("trackops_access_refused_total",
                                           "Requests whose credentials were not accepted",
                                           {{"reason", std::string(name_of(outcome))}});
    }
    const auto version = read_version(path_);
    const auto taken = version ? take(*version) : Result<void>(std::unexpected(version.error()));
    if (!taken) {
        throw std::runtime_error(
            fmt::format("the access file {} {}", path_, faults_of(taken.error())));
    }
}

std::shared_ptr<const http::Principal> AccessStore::identify(const http::Request& request) {
    Identified identified = present()->identify(request, clock_.now());
    if (auto* const refusal = refusals_[static_cast<std::size_t>(identified.outcome)])
        refusal->add();
    return std::move(identified.principal);
}

std::shared_ptr<const http::Principal> AccessStore::refuse(Outcome outcome) {
    if (auto* const refusal = refusals_[static_cast<std::size_t>(outcome)]) refusal->add();
    return stranger(outcome);
}

std::optional<Operator> AccessStore::find_operator(std::string_view name) const {
    const auto callers = present();
    const auto& operators = callers->file().operators;
    const auto found = std::ranges::find(operators, name, &Operator::name);
    if (found == operators.end()) return std::nullopt;
    return *found;
}

std::vector<std::string> AccessStore::operator_names() const {
    const auto callers = present();
    std::vector<std::string> names;
    for (const Operator& one : callers->file().operators) names.push_back(one.name);
    return names;
}

std::vector<Provider> AccessStore::providers() const { return present()->file().providers; }

runtime::Progress AccessStore::run(Duration) {
    const auto stamp = stamp_of(path_);
    if (stamp && *stamp == seen_ && is_settled_) return {0, interval};
    const auto version =
        stamp ? read_version(path_) : Result<FileVersion>(std::unexpected(stamp.error()));
    if (!version) {
        refuse_version(version.error());
        return {0, interval};
    }
    if (version->text == text_) {
        seen_ = version->stamp;
        is_settled_ = clock_.now().micros * 1000 - seen_.modified_at > settle_nanoseconds;
        if (is_in_force_) {  // perhaps the file was away
            in_force_.set(1);
            told_.clear();
        }
        return {0, interval};
    }
    const auto taken = take(*version);
    if (!taken) {
        refuse_version(taken.error());
        return {0, interval};
    }
    const auto callers = present();
    telemetry::log(telemetry::Level::info, "access", "the access file has changed",
                   {{"keys", std::to_string(callers->file().keys.size())},
                    {"operators", std::to_string(callers->file().operators.size())}});
    return {1, interval};
}

std::shared_ptr<const Callers> AccessStore::present() const {
    const std::lock_guard lock(mutex_);
    return callers_;
}

Result<void> AccessStore::take(const FileVersion& version) {
    seen_ = version.stamp;
    is_settled_ = false;
    text_ = version.text;
    is_in_force_ = false;
    told_.clear();
    AccessFile file = TRY(read_access_file(version.text));
    auto callers = std::make_shared<const Callers>(std::move(file));
    keys_.set(static_cast<double>(callers->file().keys.size()));
    operators_.set(static_cast<double>(callers->file().operators.size()));
    accepted_.add();
    in_force_.set(1);
    is_in_force_ = true;
    const std::lock_guard lock(mutex_);
    callers_.swap(callers);
    return {};
}

void AccessStore::refuse_version(const Error& error) {
    in_force_.set(0);
    std::string faults = faults_of(error);
    if (faults == told_) return;
    refused_.add();
    telemetry::log(telemetry::Level::error, "access",
                   "the access file is refused; the keys and operators stay as they were",
                   {{"file", path_}, {"faults", faults}});
    told_ = std::move(faults);
}

}  // namespace trackops::access
