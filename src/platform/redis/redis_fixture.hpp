// What tests of the Redis adapter need: the server at hand, a private one, and a proxy that spoils
// what passes.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/instant.hpp"
#include "testing/databases.hpp"

struct redisContext;

namespace trackops::cache {

// Of the server that TRACKOPS_TEST_REDIS names; std::runtime_error without that variable, so that
// a missing server fails and never skips.
std::string redis_url();
std::uint16_t port_of(std::string_view url);
// Nobody else has it in front of their keys.
std::string fresh_prefix();
// Until it is true, ten seconds at most.
bool eventually(const std::function<bool()>& is_true);

// A client of the test's own.
class RedisClient {
public:
    explicit RedisClient(std::uint16_t port);
    // The answer as text; an array one element a line.
    std::string ask(const std::vector<std::string>& words);
    // Time passes for all keys with this prefix: their lives get shorter by that much.
    void age(const std::string& prefix, Duration by);

private:
    struct Free {
        void operator()(redisContext* context) const;
    };
    std::unique_ptr<redisContext, Free> context_;
};

// A redis-server process of the test's own.
class PrivateRedis {
public:
    explicit PrivateRedis(std::vector<std::string> options = {});
    ~PrivateRedis() { kill(); }
    PrivateRedis(const PrivateRedis&) = delete;
    PrivateRedis& operator=(const PrivateRedis&) = delete;
    void start();  // on the same port as before
    void kill();   // -9
    std::uint16_t port() const { return port_; }
    std::string url() const;

private:
    const trackops::testing::TemporaryFolder folder_;
    const std::vector<std::string> options_;
    std::uint16_t port_ = 0;
    pid_t process_ = -1;
};

enum class ProxyRule : std::uint8_t {
    pass,
    drop_commands,       // what clients say does not arrive
    drop_replies,        // what the server says does not
    corrupt_replies,     // is replaced by something else
    delay_replies,       // is kept until another rule is set, but what subscribers hear passes
    drop_invalidations,  // what subscribers are told is lost
};

// Between clients and a server on this machine.
class Proxy {
public:
    explicit Proxy(std::uint16_t server_port);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;
    std::string url() const;
    void set(ProxyRule rule);
    void cut_subscribers();
    int connections() const;  // that were ever made
    int delayed_replies() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::cache
