// Which steps must wait: those of one order happen one after the other, as they stand in the input.
#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/instant.hpp"
#include "load/step.hpp"

namespace trackops::load {

struct Scheduled {
    Step step;
    Duration intended;  // when it should leave
    std::int64_t line = 0;
};

class PerOrderQueue {
public:
    // The step, if it may start now; otherwise it is kept until its order is free.
    std::optional<Scheduled> start_or_enqueue(Scheduled next);
    // A step of that order is over: the one that waited for it, which starts now.
    std::optional<Scheduled> finish(const std::string& reference);
    std::size_t waiting() const { return waiting_; }

private:
    std::map<std::string, std::deque<Scheduled>, std::less<>> busy_;
    std::size_t waiting_ = 0;
};

}  // namespace trackops::load
