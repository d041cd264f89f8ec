// Counts the open connections of a server, all together and of each client address.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>

#include "platform/http/client_address.hpp"

namespace trackops::http {

// The limit of one address does not hold for loopback: proxies and tools of this machine share that
// address, and a local user who wants to do harm has shorter ways. Not thread-safe.
class ConnectionSlots {
public:
    // total: at least per_address.
    ConnectionSlots(std::size_t total, std::size_t per_address)
        : total_(total), per_address_(per_address) {}

    enum class Verdict : std::uint8_t {
        serve,
        refuse_total,    // answer 503: all slots are taken
        refuse_address,  // answer 503: the address has all the slots that it may have
        drop,            // close without an answer: too many are being answered 503
    };
    // Decides about a new connection and counts it, unless the verdict is drop.
    Verdict take(const ClientAddress& address);
    void release(const ClientAddress& address);  // one counted connection has closed
    std::size_t open() const { return open_; }

private:
    const std::size_t total_;
    const std::size_t per_address_;
    std::size_t open_ = 0;
    std::map<ClientAddress, std::size_t> by_network_;
};

}  // namespace trackops::http
