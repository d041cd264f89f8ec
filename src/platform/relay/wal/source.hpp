// Reads the outbox from the write-ahead log: no polling, commit order. See
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
    // A stopped or unreachable reader loses the slot within this.
    Duration sender_timeout = std::chrono::seconds(4);
    // While no events come, so much of the log is held at most.
    std::uint64_t idle_bytes_max = 1024UL * 1024;
};

// While it repairs it polls; is_streaming() says which. Over PostgreSQL only.
class WalSource : public Source {
public:
    virtual bool is_streaming() const = 0;
    // Takes in what has come. True when the stream has come to `lsn`, or so many events wait.
    virtual bool has_received(pgoutput::Lsn lsn, std::size_t max) = 0;
};
std::unique_ptr<WalSource> make_wal_source(sql::Database& database, std::string_view url,
                                           WalOptions options, telemetry::Registry& metrics);

}  // namespace trackops::relay
