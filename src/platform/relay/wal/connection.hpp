// A replication connection to PostgreSQL (libpq): creates a slot and receives the frames of one.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "platform/relay/wal/pgoutput.hpp"

struct pg_conn;    // PGconn
struct pg_result;  // PGresult

namespace trackops::relay {

// Every call throws sql::Failure when the server refuses or is away; then only destruction is left.
class WalConnection {
public:
    // Connects. The server ends the session and frees the slot when the client is silent for
    // `sender_timeout`. Throws std::invalid_argument for a malformed URL.
    WalConnection(std::string_view url, Duration sender_timeout);

    // Requests a new slot. The server answers when every transaction that is open now has ended.
    void create_slot(const std::string& slot);
    // taken: another connection has created the slot; then only destruction is left.
    enum class Creation { under_way, made, taken };
    Creation slot_creation();  // does not wait

    // Starts the stream of frames. Returns false when another connection has the slot.
    bool start(const std::string& slot, const std::string& publication, pgoutput::Lsn from);
    // Returns a frame that has arrived, without waiting. The view is valid until the next call.
    std::optional<std::string_view> frame();
    void send(std::string_view status_update);
    // Waits until bytes arrive, at most `at_most`.
    void await(Duration at_most);

private:
    struct Close {
        void operator()(pg_conn* connection) const;
    };
    struct Clear {
        void operator()(pg_result* result) const;
    };
    struct Free {
        void operator()(char* bytes) const;
    };
    using Result = std::unique_ptr<pg_result, Clear>;

    void ask(const std::string& command);
    Result answer_within(Duration time);
    void push();
    [[noreturn]] void fail_as(const pg_result* result) const;
    [[noreturn]] void fail_as_lost() const;

    std::unique_ptr<pg_conn, Close> connection_;
    std::unique_ptr<char, Free> frame_;
};

}  // namespace trackops::relay
