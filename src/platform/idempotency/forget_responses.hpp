// Deletes recorded responses before their time, because of what they hold.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "platform/sql/database.hpp"

namespace trackops::idempotency {

// A recorded response and the request that it answers.
struct RecordedBody {
    std::string scope;  // the caller, the method and the path
    std::string key;
    std::string body;
};

// Deletes the responses recorded until then whose body contains `part` and of which `is_meant` is
// true; version 0.1 did not record when. Reads all keys, page by page, each page in transactions of
// its own; a response that is recorded meanwhile may be left. Returns the number of deleted
// responses. Throws sql::Failure; what was deleted until then stays deleted.
std::size_t forget_responses(sql::Database& database, std::string_view part, Instant until,
                             const std::function<bool(const RecordedBody&)>& is_meant);

}  // namespace trackops::idempotency
