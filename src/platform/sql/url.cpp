#include "platform/sql/url.hpp"

#include <algorithm>

namespace trackops::sql {
namespace {

constexpr std::string_view mask = "***";

}  // namespace

std::string without_password(std::string_view url) {
    std::string shown(url);
    // Up to the last @: somebody may have forgotten to encode one.
    const auto slashes = shown.find("://");
    const auto at = shown.rfind('@');
    if (slashes != std::string::npos && at != std::string::npos && at > slashes) {
        const auto colon = shown.find(':', slashes + 1);
        if (colon < at) shown.replace(colon + 1, at - colon - 1, mask);
    }
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
