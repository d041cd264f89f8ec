// The text of the Date header, formatted once a second. For one thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.hpp"

namespace trackops::http {

class HttpDate {
public:
    std::string_view at(Instant now);  // in the form IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT

private:
    std::int64_t second_ = INT64_MIN;
    std::string text_;
};

}  // namespace trackops::http
