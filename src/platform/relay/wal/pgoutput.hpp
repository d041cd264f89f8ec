// The frames of PostgreSQL's logical replication and, inside them, the messages of the plugin
// pgoutput (protocol 1, or 2 without streaming). Pure and total: any bytes give a message or
// Errc::malformed.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.hpp"
#include "base/result.hpp"

namespace trackops::relay::pgoutput {

// A position in the write-ahead log.
struct Lsn {
    std::uint64_t bytes = 0;
    auto operator<=>(const Lsn&) const = default;
    std::string text() const;  // "0/16B3748"
    static std::optional<Lsn> parse(std::string_view text);
};

struct Data {
    std::string_view message;  // of pgoutput
};
struct Keepalive {
    Lsn end;  // every transaction that committed before this was sent before
    bool wants_reply = false;
};
using Frame = std::variant<Data, Keepalive>;
Result<Frame> read_frame(std::string_view bytes);

// The standby status update that lets the server discard the log up to `flushed`. Requests no
// reply.
std::string status_update(Lsn flushed, Instant now);

struct Begin {
    Lsn commit;
};
struct Commit {
    Lsn end;  // where the next transaction may begin
};
struct Relation {
    std::uint32_t id = 0;
    std::string name;
    std::vector<std::string> columns;
};
struct Insert {
    std::uint32_t relation = 0;
    std::vector<std::optional<std::string_view>> values;  // as text; nothing is NULL
};
// A message that a reader of inserts does not need; its body was not parsed.
struct Other {
    char kind = 0;  // Type, Origin, Message, Truncate, Update, Delete
};
using Message = std::variant<Begin, Commit, Relation, Insert, Other>;
Result<Message> read_message(std::string_view bytes);

}  // namespace trackops::relay::pgoutput
