// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the committed answer, kept in the
// transaction that made it true.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "base/request.hpp"
#include "base/result.hpp"
#include "platform/sql/database.hpp"

namespace trackops::idempotency {

inline constexpr std::size_t max_key_bytes = 255;
inline constexpr Duration retention = std::chrono::hours(24);

using Key = IdempotencyKey;
using Response = RecordedResponse;

// Reads the header (bare, or a quoted structured-field string): nothing if absent, Errc::invalid if
// empty, too long or not visible ASCII.
Result<std::optional<std::string>> read_key(std::optional<std::string_view> header);
std::string fingerprint(std::string_view body);

// Looks up which of the keys have been answered: one entry a key, in order. Errc::key_reused where
// the fingerprint differs. Reads without locks, outside of any writing transaction.
std::vector<Result<std::optional<Response>>> find(sql::Transaction& tx, std::span<const Key> keys,
                                                  Instant now);  // flushes

// Queues the insert of keys with their answers, in the order of (scope, key): they must be sorted
// by it and distinct. After the flush, affected() < answers.size() says that a twin was faster:
// throw sql::ConcurrencyConflict, and the second round finds its answer. An expired row of the same
// key is replaced.
struct KeyedResponse {
    Key key;
    Response response;
};
sql::Statement& record(sql::Transaction& tx, std::span<const KeyedResponse> responses, Instant now);
// The same for keys that nobody has looked up: cheaper, and needs no look at affected(). A row of
// the same key, expired or not, fails the transaction: send it within sql::or_conflict().
void record_without_lookup(sql::Transaction& tx, std::span<const KeyedResponse> responses,
                           Instant now);

// Deletes at most `most` expired rows. Returns how many.
std::size_t forget_expired(sql::Database& database, Instant now, std::size_t most);

}  // namespace trackops::idempotency
