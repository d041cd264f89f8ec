// The links to other servers: whether TLS protects them.
#pragma once
#include <string>
#include <vector>

#include "platform/config/settings.hpp"

namespace trackops::apps {

inline constexpr config::Setting strict_setting{
    "strict", config::Kind::flag, "false",
    "Refuse to start while a URL leads to another machine without TLS whose certificate is "
    "checked; otherwise the log warns of it."};

// Returns a sentence for each setting that names a server on another machine to which no TLS with a
// checked certificate leads. A URL that cannot be read counts for nothing: its reader refuses it.
std::vector<std::string> unverified_links(const config::Values& values);

// Returns the fault of such links with the setting strict; "" for none.
std::string fault_of_links(const config::Values& values);

}  // namespace trackops::apps
