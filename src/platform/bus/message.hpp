// Messages on the bus.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"

namespace trackops::bus {

struct Header {
    std::string name;
    std::string value;
    bool operator==(const Header&) const = default;
};

struct OutgoingMessage {
    std::string topic;
    // Messages of one key go to one partition, in order. Messages without a key go to any
    // partition, in no order.
    std::string key;
    std::string value;
    std::vector<Header> headers;
};

struct Message {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::string key;
    std::string value;
    std::vector<Header> headers;
    Instant timestamp;  // the time at which the broker took the message

    // Returns the first header of that name, or "".
    std::string_view header(std::string_view name) const;
    std::size_t bytes() const;  // of its texts
};

}  // namespace trackops::bus
