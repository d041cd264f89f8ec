// The Kafka server of the tests, and the topic names of this run.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

namespace trackops::bus {

// Returns kafka://HOST:PORT. Throws if the variable is not set, so that a missing server is a
// failure.
inline std::string kafka_test_server() {
    const char* const url = std::getenv("TRACKOPS_TEST_KAFKA");
    if (url == nullptr) throw std::runtime_error("TRACKOPS_TEST_KAFKA is not set: ./dev servers");
    return url;
}

// The prefix of all topics of this run. The topics are deleted at its end.
inline const std::string& kafka_test_run() {
    static const std::string run = fmt::format(
        "bus-test-{}-{}.", ::getpid(), std::chrono::system_clock::now().time_since_epoch().count());
    return run;
}

// Returns the prefix of a bus that no other test uses.
inline std::string kafka_test_prefix() {
    static std::atomic<int> count = 0;
    return fmt::format("{}{}.", kafka_test_run(), ++count);
}
inline std::string kafka_test_url() {
    return fmt::format("{}?prefix={}", kafka_test_server(), kafka_test_prefix());
}

}  // namespace trackops::bus
