#include "platform/sql/url.hpp"

#include <algorithm>

namespace trackops::sql {
namespace {

constexpr std::string_view mask = "***";
constexpr std::string_view jdbc = "jdbc:";

}  // namespace

std::string without_password(std::string_view url) {
    std::string shown(url);
    // Up to the last @: somebody may have forgotten to encode one. Without :// whatever follows a
    // colon may be a password.
    const auto at = shown.rfind('@');
    auto colon = shown.find(':', shown.starts_with(jdbc) ? jdbc.size() : 0);
    if (std::string_view(shown).substr(std::min(colon, shown.size())).starts_with("://"))
        colon = shown.find(':', colon + 1);
    if (at != std::string::npos && colon < at) shown.replace(colon + 1, at - colon - 1, mask);
    for (const std::string_view name : {"password=", "passwd="}) {
        for (auto found = shown.find(name); found != std::string::npos;
             found = shown.find(name, found + name.size())) {
            const auto start = found + name.size();
            const auto end = std::min(shown.find('&', start), shown.size());
            shown.replace(start, end - start, mask);
        }
    }
    return shown;
}

}  // namespace trackops::sql
