#include "platform/http/entity_tag.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "platform/http/query_reader.hpp"

namespace trackops::http {
namespace {

constexpr std::string_view weak_prefix = "W/";

void skip_blanks(std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
}

// Whether a character may stand between the quotes of a tag.
bool is_tag_character(char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != 0x7f;
}

// Cuts off the tag with which `rest` begins; nothing if it begins with no tag.
std::optional<EntityTag> take_tag(std::string_view& rest) {
    const bool is_weak = rest.starts_with(weak_prefix);
    if (is_weak) rest.remove_prefix(weak_prefix.size());
    if (!rest.starts_with('"')) return std::nullopt;
    const std::size_t end = rest.find('"', 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view opaque = rest.substr(1, end - 1);
    if (!std::ranges::all_of(opaque, is_tag_character)) return std::nullopt;
    rest.remove_prefix(end + 1);
    return EntityTag{opaque, is_weak};
}

// Several headers of one name are one list (RFC 9110, section 5.3).
std::optional<std::string> joined(const Request& request, std::string_view name) {
    std::optional<std::string> all;
    for (const auto& [given, value] : request.headers) {
        if (given != name) continue;
        if (all) {
            *all += ',';
            *all += value;
        } else {
            all = value;
        }
    }
    return all;
}

// Returns the versions that the tags name. `compares_weakly` counts weak tags, too.
std::vector<std::int64_t> versions_in(const EntityTags& tags, bool compares_weakly) {
    std::vector<std::int64_t> versions;
    for (const EntityTag& tag : tags.tags) {
        const auto version = whole_number(tag.opaque);
        if (version && (compares_weakly || !tag.is_weak)) versions.push_back(*version);
    }
    return versions;
}

bool matches_strongly(const EntityTags& tags, const EntityTag& current) {
    return tags.is_any ||
           (!current.is_weak && std::ranges::find(tags.tags, current) != tags.tags.end());
}

bool matches_weakly(const EntityTags& tags, const EntityTag& current) {
    return tags.is_any ||
           std::ranges::find(tags.tags, current.opaque, &EntityTag::opaque) != tags.tags.end();
}

}  // namespace

std::string entity_tag(std::int64_t version) { return fmt::format("\"{}\"", version); }

EntityTags parse_entity_tags(std::string_view text) {
    EntityTags list;
    skip_blanks(text);
    if (text.starts_with('*')) {
        text.remove_prefix(1);
        skip_blanks(text);
        list.is_any = text.empty();
        list.is_malformed = !text.empty();
        return list;
    }
    while (!text.empty()) {
        if (!text.starts_with(',')) {  // a list may have empty elements
            const auto tag = take_tag(text);
            if (!tag) break;
            list.tags.push_back(*tag);
            skip_blanks(text);
            if (!text.empty() && !text.starts_with(',')) break;
        }
        if (!text.empty()) text.remove_prefix(1);
        skip_blanks(text);
    }
    list.is_malformed = !text.empty() || list.tags.empty();
    return list;
}

Result<VersionCondition> read_version_condition(const Request& request, std::string_view thing) {
    VersionCondition condition;
    if (const auto header = joined(request, "if-match")) {
        const EntityTags tags = parse_entity_tags(*header);
        if (!tags.is_any) {
            condition.only = versions_in(tags, false);
            if (tags.is_malformed || condition.only->empty()) {
                return fail(Errc::precondition_failed,
                            fmt::format("If-Match names no version of this {}", thing));
            }
        }
    }
    if (const auto header = joined(request, "if-none-match")) {
        const EntityTags tags = parse_entity_tags(*header);
        if (tags.is_malformed)
            return fail(Errc::malformed,
                        "If-None-Match is neither \"*\" nor a list of entity tags");
        condition.must_not_exist = tags.is_any;
        condition.except = versions_in(tags, true);
    }
    return condition;
}

Response conditional_response(Response response, const Request& request) {
    if (response.status != 200 || (request.method != "GET" && request.method != "HEAD"))
        return response;
    if (std::ranges::none_of(request.headers,
                             [](const auto& header) { return header.first.starts_with("if-"); }))
        return response;
    const auto if_match = joined(request, "if-match");
    const auto if_none_match = joined(request, "if-none-match");
    if (!if_match && !if_none_match) return response;
    const auto etag = std::ranges::find(response.headers, "ETag",
                                        [](const auto& header) { return header.first; });
    if (etag == response.headers.end()) return response;
    std::string_view rest = etag->second;
    const auto current = take_tag(rest);
    if (!current) return response;
    if (if_match && !matches_strongly(parse_entity_tags(*if_match), *current)) {
        return problem(
            {Errc::precondition_failed,
             fmt::format("If-Match does not name the present version, {}", etag->second)},
            request);
    }
    if (if_none_match && matches_weakly(parse_entity_tags(*if_none_match), *current)) {
        response.status = 304;
        response.body.clear();
        response.static_body = {};
    }
    return response;
}

}  // namespace trackops::http
