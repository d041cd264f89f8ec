// A question for the caller of one request, whose answer does not stand in memory.
#pragma once
#include <functional>
#include <memory>
#include <mutex>

#include "platform/http/principal.hpp"

namespace trackops::http {

// Thread-safe.
class Inquiry {
public:
    // `on_answer` is called once, by answer().
    explicit Inquiry(std::function<void()> on_answer) : on_answer_(std::move(on_answer)) {}
    // Requires a principal. A second answer is ignored.
    void answer(std::shared_ptr<const Principal> principal);
    // Returns null until the answer is there.
    std::shared_ptr<const Principal> answer() const;

private:
    const std::function<void()> on_answer_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Principal> answer_;  // guarded by mutex_
};

}  // namespace trackops::http
