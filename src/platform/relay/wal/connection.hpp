// One replication connection to PostgreSQL (libpq): makes slots, and brings the frames of one.
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

// Every call throws sql::Failure when the server refuses or is gone; then only destruction is left.
class WalConnection {
public:
    // Connects. The server ends the session, and sets the slot free, when it has heard nothing for
    // sender_timeout. std::invalid_argument for a URL that is none.
    WalConnection(std::string_view url, Duration sender_timeout);

    // Asks for a new slot. The server answers when every transaction that is open now has ended.
    void create_slot(const std::string& slot);
    // taken: another connection has made it in between; then only destruction is left.
    enum class Creation { under_way, made, taken };
    Creation slot_creation();  // without waiting

    // From then on frames come. False: another connection has the slot.
    bool start(const std::string& slot, const std::string& publication, pgoutput::Lsn from);
    // One that has come, without waiting. Good until the next call.
    std::optional<std::string_view> frame();
    void send(std::string_view status_update);
    // Until something comes, or the time is over.
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
