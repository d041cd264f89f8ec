// The one reader of URLs that name servers.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace trackops::url {

inline constexpr std::size_t url_bytes_max = 8192;

struct Host {
    std::string name;  // decoded; "" if the URL names none; an IPv6 address without its brackets
    std::optional<std::uint16_t> port = std::nullopt;  // 1 to 65535
    // Returns NAME:PORT as a URL has it, with brackets around an IPv6 address.
    std::string text(std::uint16_t default_port) const;
};

struct Parameter {
    std::string name;
    std::string value;
};

struct SecretParameter {
    std::string name;
    Secret value;
};

// SCHEME://USER:PASSWORD@HOST:PORT,HOST:PORT.../PATH?NAME=VALUE&NAME=VALUE. All parts are
// percent-decoded.
struct Url {
    std::string scheme;
    std::string user;
    std::optional<Secret> password;                  // "" after USER:@
    std::vector<Host> hosts;                         // one or more
    std::string path;                                // "", or begins with '/'
    std::vector<Parameter> parameters;               // without the secret ones
    std::vector<SecretParameter> secret_parameters;  // see is_secret_parameter()
};

// The URLs that a setting takes. The texts stand in its errors.
struct Form {
    std::string_view what;  // "cache URL"
    std::string_view example;
    std::string_view scheme;  // "redis"
    std::string_view other_scheme = {};
    // A host may be a folder with a Unix socket (%2Frun%2Fpostgresql).
    bool takes_socket_folders = false;
};

// Reads a URL (RFC 3986, but with a list of hosts). Throws std::invalid_argument as refuse() does.
Url parse_url(std::string_view text, const Form& form);

// Throws std::invalid_argument with the URL, its passwords masked, why it is refused, and an
// example of a right one.
[[noreturn]] void refuse(std::string_view text, const Form& form, std::string_view why);

// Returns the scheme, which ends before the first ':', or "" if the text has none.
std::string_view scheme_of(std::string_view text);

// Returns the path of SCHEME:PATH or SCHEME:///ABSOLUTE/PATH as it is written: nothing in it is
// decoded. It may be empty. Throws as refuse() does if a host is named or the path has a NUL.
std::string local_path(std::string_view text, const Form& form);

}  // namespace trackops::url
