// Entity tags (RFC 9110, section 8.8.3): the version of a resource, in quotes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/message.hpp"

namespace trackops::http {

// Returns the entity tag of a version, with its quotes.
std::string entity_tag(std::int64_t version);

// Returns the version in If-Match; nothing without the header or for "*". Returns
// Errc::precondition_failed, with a message about `thing` ("order"), for a tag that is not one of
// ours.
Result<std::optional<std::int64_t>> read_if_match(const Request& request, std::string_view thing);

}  // namespace trackops::http
