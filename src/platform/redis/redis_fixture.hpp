// Fixtures for tests of the Redis adapter: the shared server, a private server, and a proxy that
// interferes with the traffic.
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

// The URL of the server in TRACKOPS_TEST_REDIS. Throws std::runtime_error without that variable, so
// that a missing server fails a test and never skips it.
std::string redis_url();
std::uint16_t port_of(std::string_view url);
// Returns a key prefix that no other test uses.
std::string fresh_prefix();
// Polls until the condition is true, for ten seconds at most. Returns whether it became true.
bool eventually(const std::function<bool()>& is_true);

// The test's own client.
class RedisClient {
public:
    explicit RedisClient(std::uint16_t port);
    // Returns the reply as text; an array has one line for each element.
    std::string ask(const std::vector<std::string>& words);
    // Shortens the time to live of all keys with this prefix by `by`, as if that time had passed.
    void age(const std::string& prefix, Duration by);

private:
    struct Free {
        void operator()(redisContext* context) const;
    };
    std::unique_ptr<redisContext, Free> context_;
};

// The test's own redis-server process.
class PrivateRedis {
public:
    explicit PrivateRedis(std::vector<std::string> options = {});
    ~PrivateRedis() { kill(); }
    PrivateRedis(const PrivateRedis&) = delete;
    PrivateRedis& operator=(const PrivateRedis&) = delete;
    void start();  // on the same port as before
    void kill();   // with SIGKILL
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
    drop_commands,    // commands do not reach the server
    drop_replies,     // replies do not reach the client
    corrupt_replies,  // replies are replaced by other bytes
    delay_replies,    // Replies wait until another rule is set, but messages to subscribers pass.
    drop_invalidations,  // messages to subscribers are lost
};

// A proxy between clients and a server on this machine.
class Proxy {
public:
    explicit Proxy(std::uint16_t server_port);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;
    std::string url() const;
    void set(ProxyRule rule);
    void cut_subscribers();
    int connections() const;  // ever made
    int delayed_replies() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::cache
