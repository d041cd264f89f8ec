// Idempotency keys (draft-ietf-httpapi-idempotency-key-header): a response is recorded in the
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

using Key = IdempotencyKey;
using Response = RecordedResponse;

// Looks up the recorded response of each key. Returns one entry for each key, in order: empty if
// the key is new, Errc::key_reused if both of its fingerprints differ from the recorded one. Reads
// without locks; call it outside of any write transaction. Flushes `tx`.
std::vector<Result<std::optional<Response>>> find(sql::Transaction& tx, std::span<const Key> keys,
                                                  Instant now);
// Throws sql::ConcurrencyConflict if one of the keys has a recorded response. A request that was
// refused calls it under the locks of what it names, before the refusal is the answer: the refusal
// may be the effect of the same request, sent again, that has committed since the keys were looked
// up. Flushes `tx`.
void expect_unrecorded(sql::Transaction& tx, std::span<const Key> keys, Instant now);

// Queues the insert of keys with their recorded responses, which expire when the key's lifetime
// after `now` is over. They must be distinct and sorted by
// (scope, key). If affected() < responses.size() after the flush, a concurrent transaction recorded
// a key first: throw sql::ConcurrencyConflict, and the next attempt finds its response. An expired
// row with the same key is replaced.
struct KeyedResponse {
    Key key;
    Response response;
};
sql::Statement& record(sql::Transaction& tx, std::span<const KeyedResponse> responses, Instant now);
// As record(), for keys that were not looked up: it is cheaper and needs no check of affected(). A
// row with the same key, expired or not, fails the transaction; run it within sql::or_conflict().
void record_without_lookup(sql::Transaction& tx, std::span<const KeyedResponse> responses,
                           Instant now);

// Deletes at most `most` expired rows and returns their number.
std::size_t forget_expired(sql::Database& database, Instant now, std::size_t most);

}  // namespace trackops::idempotency
