#include "platform/http/client_text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>

namespace trackops::http {

std::string client_text(const ClientAddress& address) {
    constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const bool is_ipv4 = std::equal(mapped.begin(), mapped.end(), address.begin());
    std::array<char, INET6_ADDRSTRLEN> text{};
    const std::uint8_t* const bytes = address.data() + (is_ipv4 ? mapped.size() : 0);
    ::inet_ntop(is_ipv4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
    return text.data();
}

}  // namespace trackops::http
