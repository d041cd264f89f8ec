// Tells whether a client sends its body too slowly.
#pragma once
#include <chrono>
#include <cstddef>

#include "base/instant.hpp"

namespace trackops::http {

// Counts the bytes of each period. Not thread-safe.
class UploadRate {
public:
    using Time = std::chrono::steady_clock::time_point;
    void begin(Time now);  // a body begins, or the client could not send until now
    void add(std::size_t bytes) { bytes_ += bytes; }
    // Returns true if a period is over in which too little came, and begins the next one.
    bool was_too_slow(Time now, std::size_t bytes_per_second_min, Duration period);

private:
    Time since_;
    std::size_t bytes_ = 0;
};

}  // namespace trackops::http
