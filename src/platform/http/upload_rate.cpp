#include "platform/http/upload_rate.hpp"

namespace trackops::http {

void UploadRate::begin(Time now) {
    since_ = now;
    bytes_ = 0;
}

bool UploadRate::was_too_slow(Time now, std::size_t bytes_per_second_min, Duration period) {
    const auto elapsed = now - since_;
    if (elapsed < period) return false;
    const double least =
        static_cast<double>(bytes_per_second_min) * std::chrono::duration<double>(elapsed).count();
    const bool is_too_slow = static_cast<double>(bytes_) < least;
    begin(now);
    return is_too_slow;
}

}  // namespace trackops::http
