#include "platform/http/connection_slots.hpp"

namespace trackops::http {
namespace {

// Connections beyond a limit that are being answered 503 at a time.
constexpr std::size_t refused_total_max = 64;
constexpr std::size_t refused_of_address_max = 8;

}  // namespace

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
