// One connection that speaks the Redis protocol. Nothing here waits but connecting.
#pragma once
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "platform/redis/target.hpp"

struct redisContext;  // NOLINT(readability-identifier-naming): hiredis names them
struct redisReply;    // NOLINT(readability-identifier-naming)

namespace trackops::cache {

// The connection is of no use any more; says why.
class ConnectionLost : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct FreeReply {
    void operator()(redisReply* reply) const;
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

// Owned by one thread. Everything throws ConnectionLost.
class RedisConnection {
public:
    // Waits for each address of the host at most that long (not counting what its name costs).
    RedisConnection(const RedisTarget& target, Duration timeout);
    int fd() const;
    void add(std::initializer_list<std::string_view> words);  // a command, to be sent by flush()
    // Sends what the socket takes. True: nothing is left to send.
    bool flush();
    void read();   // when fd() is readable: takes a part of what is there
    Reply next();  // null: no whole reply has arrived

private:
    struct Free {
        void operator()(redisContext* context) const;
    };
    [[noreturn]] void fail() const;
    std::unique_ptr<redisContext, Free> context_;
};

}  // namespace trackops::cache
