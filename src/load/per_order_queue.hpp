// Serializes the steps of each order in the order of the input. Steps of different orders are
// independent.
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
    // When the step should be sent, as a time of HttpClient::elapsed().
    Duration intended;
    std::int64_t line = 0;
};

class PerOrderQueue {
public:
    // Returns `next` if it may start now. Otherwise keeps it until the earlier steps of its order
    // have finished.
    std::optional<Scheduled> start_or_enqueue(Scheduled next);
    // Ends the running step of the order `reference`. Returns the next step of that order, which
    // starts now, or nothing if none waits.
    std::optional<Scheduled> finish(const std::string& reference);
    std::size_t waiting() const { return waiting_; }

private:
    std::map<std::string, std::deque<Scheduled>, std::less<>> busy_;
    std::size_t waiting_ = 0;
};

}  // namespace trackops::load
