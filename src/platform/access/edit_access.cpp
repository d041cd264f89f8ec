#include "platform/access/edit_access.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace trackops::access {
namespace {

Result<void> check_name(std::string_view name) {
    if (is_name(name)) return {};
    return fail(Errc::invalid,
                fmt::format("a name is of 1 to {} letters, digits, '.', '_', '@' and '-', and "
                            "begins with a letter or a digit",
                            name_bytes_max));
}

}  // namespace

Result<NewKey> add_key(AccessFile& file, const std::string& name, http::Scopes scopes,
                       const Lifetime& lifetime) {
    TRY(check_name(name));
    if (scopes == http::Scopes{}) return fail(Errc::invalid, "a key needs a scope");
    if (file.keys.size() >= keys_max)
        return fail(Errc::conflict, fmt::format("the file has {} keys already", keys_max));
    NewKey key = make_key();
    while (std::ranges::find(file.keys, key.id, &Key::id) != file.keys.end()) key = make_key();
    file.keys.push_back({.name = name,
                         .id = key.id,
                         .digest = key.digest,
                         .scopes = scopes,
                         .not_before = lifetime.from,
                         .not_after = lifetime.until});
    return key;
}

Result<NewKey> rotate_key(AccessFile& file, const std::string& name, const Lifetime& lifetime,
                          Instant old_until) {
    const auto has_name = [&](const Key& key) { return key.name == name; };
    const auto is_over = [&](const Key& key) {
        return has_name(key) && key.not_after <= lifetime.from;
    };
    AccessFile changed = file;
    std::erase_if(changed.keys, is_over);
    const auto present = std::ranges::find_if(changed.keys, has_name);
    if (present == changed.keys.end())
        return fail(Errc::not_found, fmt::format("no key is called {} and still valid", name));
    const http::Scopes scopes = present->scopes;
    for (Key& key : changed.keys) {
        if (!has_name(key)) continue;
        if (key.scopes != scopes)
            return fail(Errc::conflict,
                        fmt::format("the keys called {} have different scopes: add a key with the "
                                    "wanted ones, and revoke the others by their ids",
                                    name));
        // A key that is not valid yet must not end before it begins.
        key.not_after = std::min(key.not_after, std::max(old_until, key.not_before + Duration(1)));
    }
    NewKey key = TRY(add_key(changed, name, scopes, lifetime));
    file = std::move(changed);
    return key;
}

Result<void> add_operator(AccessFile& file, Operator added, bool replaces) {
    TRY(check_name(added.name));
    const auto present = std::ranges::find(file.operators, added.name, &Operator::name);
    if (present != file.operators.end()) {
        if (!replaces)
            return fail(Errc::conflict,
                        fmt::format("there is an operator called {} already", added.name));
        *present = std::move(added);
        return {};
    }
    if (file.operators.size() >= operators_max)
        return fail(Errc::conflict,
                    fmt::format("the file has {} operators already", operators_max));
    file.operators.push_back(std::move(added));
    return {};
}

std::size_t revoke_keys(AccessFile& file, std::string_view name) {
    return std::erase_if(file.keys, [&](const Key& key) { return key.name == name; });
}

std::size_t revoke_key(AccessFile& file, std::string_view id) {
    return std::erase_if(file.keys, [&](const Key& key) { return key.id == id; });
}

std::size_t revoke_operator(AccessFile& file, std::string_view name) {
    return std::erase_if(file.operators, [&](const Operator& one) { return one.name == name; });
}

Result<http::Scopes> parse_scopes(std::string_view list) {
    http::Scopes scopes{};
    while (!list.empty()) {
        const std::size_t end = std::min(list.find_first_of(", "), list.size());
        const std::string_view word = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        if (word.empty()) continue;
        const auto scope = http::scope_named(word);
        if (!scope)
            return fail(Errc::invalid, fmt::format("'{}' is no scope; the scopes are {}", word,
                                                   all_scope_names()));
        scopes.add({*scope});
    }
    if (scopes == http::Scopes{})
        return fail(Errc::invalid, "name at least one scope: " + all_scope_names());
    return scopes;
}

}  // namespace trackops::access
