// The access file of a running service: identifies callers by the present version of the file.
#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/access/callers.hpp"
#include "platform/access/file_version.hpp"
#include "platform/http/identifier.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Counter;
class Gauge;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::access {

// As a pump it looks at the file every `interval` and takes a changed one, so that a key is revoked
// within a second of the change on this host. A version that cannot be read or is not valid is
// refused with one line in the log, and the callers stay as they were. Metrics:
// - trackops_access_file_reads_total {outcome}: accepted, refused
// - trackops_access_file_in_force: 0 while the file's present version is refused
// - trackops_access_keys, trackops_access_operators: in the version that is in force
// - trackops_access_refused_total {reason}: requests whose credentials were not accepted
class AccessStore final : public http::Identifier, public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::milliseconds(500);

    // Reads the file. `clock` and `metrics` outlive this. Throws std::runtime_error with every
    // fault if it cannot be read or is not valid.
    AccessStore(std::string path, const Clock& clock, telemetry::Registry& metrics);

    std::shared_ptr<const http::Principal> identify(const http::Request& request) override;
    // Counts a refusal by another kind of credentials, and returns its stranger.
    std::shared_ptr<const http::Principal> refuse(Outcome outcome);
    // Returns an operator of the present version.
    std::optional<Operator> find_operator(std::string_view name) const;
    std::vector<std::string> operator_names() const;
    std::vector<Provider> providers() const;
    runtime::Progress run(Duration max_wait) override;

private:
    std::shared_ptr<const Callers> present() const;
    Result<void> take(const FileVersion& version);
    void refuse_version(const Error& error);

    const std::string path_;
    const Clock& clock_;
    telemetry::Counter& accepted_;
    telemetry::Counter& refused_;
    telemetry::Gauge& in_force_;
    telemetry::Gauge& keys_;
    telemetry::Gauge& operators_;
    std::array<telemetry::Counter*, outcome_count> refusals_{};  // null: no refusal

    mutable std::mutex mutex_;
    std::shared_ptr<const Callers> callers_;  // guarded by mutex_; not null

    // The members below belong to the pump.
    FileStamp seen_;            // of the version that was read last
    bool is_settled_ = false;   // a further write would change the stamp
    std::string text_;          // of that version
    bool is_in_force_ = false;  // that version is the one that callers_ came from
    std::string told_;          // the refusal that the log has, while it lasts
};

}  // namespace trackops::access
