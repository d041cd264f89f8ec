#include "platform/bus/message.hpp"

#include <algorithm>

namespace trackops::bus {

std::string_view Message::header(std::string_view name) const {
    const auto found = std::ranges::find(headers, name, &Header::name);
    return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

std::size_t Message::bytes() const {
    std::size_t sum = topic.size() + key.size() + value.size();
    for (const Header& each : headers) sum += each.name.size() + each.value.size();
    return sum;
}

}  // namespace trackops::bus
