// The Redis server that a redis:// URL names.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret.hpp"

namespace trackops::cache {

struct RedisTarget {
    std::string host;
    std::uint16_t port = 6379;
    int database = 0;
    std::string user;
    Secret password;
    std::string description() const;  // host, port and database: no user
};

// A password file that the URL names comes before a password in the URL. Throws
// std::invalid_argument if the URL or its file cannot be read. The message never quotes a password.
RedisTarget parse_redis_target(std::string_view url);

}  // namespace trackops::cache
