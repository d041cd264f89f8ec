#include "sim/trace_log.hpp"

namespace trackops::sim {

const std::string& TraceLog::name_of(Uuid order) {
    const auto [found, is_new] = names_.try_emplace(order);
    if (is_new) found->second = fmt::format("O{}", names_.size());
    return found->second;
}

void TraceLog::end_line() {
    for (const char letter : line_) {  // FNV-1a
        hash_ = (hash_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    }
    ++lines_;
    if (listener_) listener_(line_);
}

}  // namespace trackops::sim
