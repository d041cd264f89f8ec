// A session of an operator: what is kept of it, and the id that its owner holds.
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/secret.hpp"
#include "platform/access/access_file.hpp"
#include "platform/access/digest.hpp"

namespace trackops::access {

// The SHA-256 of a session's id. A reader of the store learns no id.
using SessionKey = Digest;

struct Session {
    std::string operator_name;
    // Of the operator's entry in the access file. The session ends when the entry changes.
    std::string mark;
    Instant created_at = {};
    Instant last_seen_at = {};
    Instant ends_at = {};   // whatever its operator does
    std::string from = {};  // the address that logged in
    bool operator==(const Session&) const = default;
};

struct SessionTimes {
    Duration idle_max = std::chrono::minutes(30);  // without a request
    Duration age_max = std::chrono::hours(12);
};
// Of one operator; the next login ends the oldest one.
inline constexpr std::size_t sessions_of_operator_max = 20;

// Returns a new id: 64 hex digits, 256 bits of chance.
Secret make_session_id();
SessionKey key_of_session(std::string_view id);
// The name of a session in answers and paths: 32 hex digits. It opens nothing.
std::string handle_of(const SessionKey& key);
bool is_session_handle(std::string_view text);

// Returns what a session remembers of its operator's entry.
std::string mark_of(const Operator& one);

// The text of a session in a store, without last_seen_at. parse_session() returns nothing for
// another text.
std::string text_of(const Session& session);
std::optional<Session> parse_session(std::string_view text);

}  // namespace trackops::access
