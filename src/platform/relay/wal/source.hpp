// The WAL source reads the outbox from the write-ahead log: without polling, in commit order. See
// docs/decisions/0011-wal-source.md.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "platform/relay/source.hpp"
#include "platform/relay/wal/pgoutput.hpp"

namespace trackops::relay {

struct WalOptions {
    std::string slot;  // "": slot_name() of the database
    std::string publication = "trackops_outbox";
    Duration checkpoint_interval = std::chrono::seconds(1);
    // A stopped or unreachable reader loses the slot after this time.
    Duration sender_timeout = std::chrono::seconds(4);
    // While no events come, the slot holds at most this part of the log.
    std::uint64_t idle_bytes_max = 1024UL * 1024;
};

// Over PostgreSQL only. During a repair the source polls; then is_streaming() is false.
class WalSource : public Source {
public:
    virtual bool is_streaming() const = 0;
    // Takes in the frames that have arrived. Returns true when the stream has reached `lsn`, or
    // when `max` events wait.
    virtual bool has_received(pgoutput::Lsn lsn, std::size_t max) = 0;
};
std::unique_ptr<WalSource> make_wal_source(sql::Database& database, std::string_view url,
                                           WalOptions options, telemetry::Registry& metrics);

}  // namespace trackops::relay
