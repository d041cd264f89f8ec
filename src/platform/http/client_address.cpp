#include "platform/http/client_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "platform/http/setting_list.hpp"

namespace trackops::http {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t network_bytes = 8;  // of an IPv6 client
constexpr unsigned mapped_bits = 96;

bool is_ipv4(const ClientAddress& address) {
    return std::ranges::equal(std::span(address).first<12>(), mapped_prefix);
}

std::optional<Network> parse_network(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const auto address = parse_client_address(std::string(text.substr(0, slash)));
    if (!address) return std::nullopt;
    Network network{.address = *address};
    if (slash == text.size()) return network;
    const bool is_v4 = !text.substr(0, slash).contains(':');
    const std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits > (is_v4 ? 32 : 128))
        return std::nullopt;
    network.bits = is_v4 ? bits + mapped_bits : bits;
    for (unsigned bit = network.bits; bit < 128; ++bit) {
        if ((network.address[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
    }
    return network;
}

}  // namespace

bool is_loopback(const ClientAddress& address) {
    if (is_ipv4(address)) return address[12] == 127;
    return std::ranges::all_of(std::span(address).first<15>(), [](auto b) { return b == 0; }) &&
           address[15] == 1;
}

ClientAddress network_of(const ClientAddress& address) {
    ClientAddress network = address;
    if (!is_ipv4(address)) std::fill(network.begin() + network_bytes, network.end(), 0);
    return network;
}

std::optional<ClientAddress> peer_address(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
    ClientAddress address{};
    if (peer.ss_family == AF_INET6) {
        const auto& in6 = reinterpret_cast<const sockaddr_in6&>(peer);
        std::memcpy(address.data(), &in6.sin6_addr, address.size());
    } else {
        const auto& in4 = reinterpret_cast<const sockaddr_in&>(peer);
        std::ranges::copy(mapped_prefix, address.begin());
        std::memcpy(address.data() + mapped_prefix.size(), &in4.sin_addr, sizeof in4.sin_addr);
    }
    return address;
}

std::optional<ClientAddress> parse_client_address(const std::string& text) {
    ClientAddress address{};
    std::ranges::copy(mapped_prefix, address.begin());
    if (::inet_pton(AF_INET, text.c_str(), address.data() + mapped_prefix.size()) == 1)
        return address;
    if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return address;
    return std::nullopt;
}

bool Network::contains(const ClientAddress& other) const {
    const unsigned whole = bits / 8;
    if (!std::equal(address.begin(), address.begin() + whole, other.begin())) return false;
    const unsigned rest = bits % 8;
    return rest == 0 || ((address[whole] ^ other[whole]) >> (8 - rest)) == 0;
}

Result<std::vector<Network>> parse_networks(std::string_view list) {
    std::vector<Network> networks;
    for (const std::string_view entry : entries_of(list)) {
        const auto network = parse_network(entry);
        if (!network) {
            return fail(Errc::invalid,
                        fmt::format("'{}' is neither an IP address nor a network such as "
                                    "10.0.0.0/8, whose bits beyond its length are 0",
                                    entry));
        }
        networks.push_back(*network);
    }
    return networks;
}

bool contains(std::span<const Network> networks, const ClientAddress& address) {
    return std::ranges::any_of(networks,
                               [&](const Network& network) { return network.contains(address); });
}

}  // namespace trackops::http
