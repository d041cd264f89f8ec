#include "platform/http/connection_slots.hpp"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>

namespace trackops::http {
namespace {

// Connections beyond a limit that are being answered 503 at a time.
constexpr std::size_t refused_total_max = 64;
constexpr std::size_t refused_of_address_max = 8;

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t network_bytes = 8;  // of an IPv6 client

bool is_ipv4(const ClientAddress& address) {
    return std::ranges::equal(std::span(address).first<12>(), mapped_prefix);
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

ConnectionSlots::Verdict ConnectionSlots::take(const ClientAddress& address) {
    if (open_ >= total_ + refused_total_max) return Verdict::drop;
    Verdict verdict = open_ >= total_ ? Verdict::refuse_total : Verdict::serve;
    if (!is_loopback(address)) {
        const ClientAddress network = network_of(address);
        const auto found = by_network_.find(network);
        const std::size_t has = found == by_network_.end() ? 0 : found->second;
        if (has >= per_address_ + refused_of_address_max) return Verdict::drop;
        if (verdict == Verdict::serve && has >= per_address_) verdict = Verdict::refuse_address;
        ++by_network_[network];
    }
    ++open_;
    return verdict;
}

void ConnectionSlots::release(const ClientAddress& address) {
    --open_;
    if (is_loopback(address)) return;
    const auto found = by_network_.find(network_of(address));
    if (--found->second == 0) by_network_.erase(found);
}

}  // namespace trackops::http
