// Collects what is to stand in the audit log, and writes it a moment later.
#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "platform/audit_log/chain.hpp"
#include "platform/http/audit_sink.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops {
class Clock;
}
namespace trackops::telemetry {
class Counter;
class Registry;
}  // namespace trackops::telemetry

namespace trackops::audit_log {

// Notes what has no transaction of its own, and what its transaction has not noted (Acts).
// Thread-safe. As a pump it writes what waits, every `interval`, in a transaction of its own, and
// what it could not write with the next call. A crash loses what waits. Metrics:
// - trackops_audit_entries_total {outcome}: written, dropped
class Trail final : public http::AuditSink, public runtime::Pump {
public:
    static constexpr Duration interval = std::chrono::milliseconds(200);
    // Refusals of one caller are one row in this time.
    static constexpr Duration refusals_window = std::chrono::minutes(1);
    static constexpr std::size_t waiting_max = 4096;   // entries; further ones are dropped
    static constexpr std::size_t refusing_max = 1000;  // callers that are refused in a window
    static constexpr std::size_t batch_max = 200;      // rows of a transaction

    // `service` is the name of the service. The references outlive this.
    Trail(sql::Database& database, std::string service, const Clock& clock,
          telemetry::Registry& metrics);

    // The acts are the requests of operators that may change something, and those of anybody on
    // routes for operators.
    AuditedActPtr act_of(const http::ArrivedRequest& request) override;
    // Notes an act unless its transaction has written its row, and refusals (401, 403), which it
    // counts: one row a caller in refusals_window, of a stranger one an address. Logins are not
    // among them; they are noted with their names.
    void answered(const http::AnsweredRequest& request) override;
    // Notes one more act. Sets its time and its service.
    void note(Entry entry);

    runtime::Progress run(Duration max_wait) override;
    // Writes all that waits, refusals included, and counts as dropped what cannot be written.
    void close();

private:
    void refused(const http::AnsweredRequest& request);
    void count_refusals(bool all);
    void keep(Entry entry);
    bool write();

    sql::Database& database_;
    const std::string service_;
    const Clock& clock_;
    telemetry::Counter& written_;
    telemetry::Counter& dropped_;

    std::mutex mutex_;
    std::deque<Entry> waiting_;              // guarded by mutex_
    std::map<std::string, Entry> refusing_;  // by caller and status; the same
};

}  // namespace trackops::audit_log
