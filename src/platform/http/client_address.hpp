// The addresses of clients, and the networks to which they belong.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace trackops::http {

// The address of a client, as an IPv6 address (IPv4 is mapped to ::ffff:0:0/96).
using ClientAddress = std::array<std::uint8_t, 16>;

bool is_loopback(const ClientAddress& address);
// Returns what stands for the client of this address: an IPv6 client owns all addresses of its /64
// network, so they count as one.
ClientAddress network_of(const ClientAddress& address);
// Returns the address of the client of a connected socket; nothing if the client has gone already.
std::optional<ClientAddress> peer_address(int socket);

// Parses 192.0.2.1 or 2001:db8::1. Returns nothing for any other text.
std::optional<ClientAddress> parse_client_address(const std::string& text);

struct Network {
    ClientAddress address{};
    unsigned bits = 128;  // of the address that its members share
    bool contains(const ClientAddress& other) const;
};

// Parses a list of addresses and networks: "10.0.0.0/8, 127.0.0.1, fd00::/8". Returns
// Errc::invalid, naming the entry, if one has another form or bits beyond its length.
Result<std::vector<Network>> parse_networks(std::string_view list);

bool contains(std::span<const Network> networks, const ClientAddress& address);

}  // namespace trackops::http
