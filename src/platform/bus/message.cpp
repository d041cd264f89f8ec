#include "platform/bus/message.hpp"

#include <algorithm>

namespace trackops::bus {

std::string_view Message::header(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, &Header::name);
    return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

}  // namespace trackops::bus
