// Entity tags (RFC 9110, section 8.8.3): the version of a resource, in quotes.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/version_condition.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

// Returns the entity tag of a version, with its quotes.
std::string entity_tag(std::int64_t version);

struct EntityTag {
    std::string_view opaque;  // between the quotes
    bool is_weak = false;     // W/"..."
    bool operator==(const EntityTag&) const = default;
};

// The value of If-Match or If-None-Match.
struct EntityTags {
    bool is_any = false;        // "*"
    bool is_malformed = false;  // `tags` holds those in front of the fault
    std::vector<EntityTag> tags = {};
    bool operator==(const EntityTags&) const = default;
};

// Parses a list of entity tags, or "*".
EntityTags parse_entity_tags(std::string_view text);

// Reads If-Match and If-None-Match of a request that changes `thing` ("order"). Returns
// Errc::precondition_failed if If-Match names no version at all: a weak tag and a tag that is not
// one of ours match nothing. Returns Errc::malformed if If-None-Match is no list of entity tags.
Result<VersionCondition> read_version_condition(const Request& request, std::string_view thing);

// Evaluates the preconditions of a request that reads, once its response is known: 412 if If-Match
// does not hold, 304 without a body if If-None-Match does not. Leaves every other response as it
// is: to a method that is not GET or HEAD, not 200, or without ETag.
Response conditional_response(Response response, const Request& request);

}  // namespace trackops::http
