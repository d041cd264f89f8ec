// Changes recorded responses because of what they hold. The keys stay, so that no request with one
// of them has a second effect.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/sql/database.hpp"

namespace trackops::idempotency {

// A recorded response and the request that it answers.
struct RecordedBody {
    std::string scope;  // the caller, the method and the path
    std::string key;
    std::string body;
};

// Calls `rewrite` with each recorded response whose body contains `part`. It returns the new body,
// or nothing for a response that stays as it is. Reads all keys, page by page, each page in
// transactions of its own; a response that is recorded meanwhile may be left. Returns the number of
// changed responses. Throws sql::Failure; what was changed until then stays changed.
std::size_t rewrite_responses(
    sql::Database& database, std::string_view part,
    const std::function<std::optional<std::string>(const RecordedBody&)>& rewrite);

}  // namespace trackops::idempotency
