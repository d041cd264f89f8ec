// One connection that speaks the Redis protocol. Only connecting waits; all other functions return
// at once.
#pragma once
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "platform/redis/target.hpp"

struct redisContext;  // NOLINT(readability-identifier-naming): hiredis names them
struct redisReply;    // NOLINT(readability-identifier-naming)

namespace trackops::cache {

// The connection is no longer usable. The message gives the reason.
class ConnectionLost : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct FreeReply {
    void operator()(redisReply* reply) const;
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

// Owned by one thread. Every function may throw ConnectionLost.
class RedisConnection {
public:
    // Waits for each address of the host for at most `timeout`, not counting the name lookup.
    RedisConnection(const RedisTarget& target, Duration timeout);
    int fd() const;
    void add(std::initializer_list<std::string_view> words);  // queues a command for flush()
    void add(std::span<const std::string> words);             // the same
    // Sends as much as the socket takes. Returns true if nothing is left to send.
    bool flush();
    void read();   // when fd() is readable: reads a part of the available data
    Reply next();  // null: no complete reply has arrived

private:
    struct Free {
        void operator()(redisContext* context) const;
    };
    [[noreturn]] void fail() const;
    std::unique_ptr<redisContext, Free> context_;
};

}  // namespace trackops::cache
