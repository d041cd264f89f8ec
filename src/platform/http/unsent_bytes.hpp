// Counts the answers of one connection that wait until their client reads them.
#pragma once
#include <cstddef>

#include "platform/http/message.hpp"
#include "platform/runtime/budget.hpp"

namespace trackops::http {

// The budget pays for the bytes as soon as they are more than a usual answer, which leaves at once.
// Not thread-safe.
class UnsentBytes {
public:
    explicit UnsentBytes(runtime::Budget* budget) : share_(budget, runtime::Spending::answers) {}
    void add(const Response& response);
    // `output_bytes` were appended to the output that is to be sent.
    void take(std::size_t output_bytes);
    // All of the response is in the output, or is given up.
    void remove(const Response& response);
    void sent();  // all output has left
    std::size_t count() const { return waiting_ + taken_; }

private:
    void pay();
    std::size_t waiting_ = 0;
    std::size_t taken_ = 0;
    runtime::Share share_;
};

}  // namespace trackops::http
