#include "platform/relay/batch_size.hpp"

#include <algorithm>

namespace trackops::relay {
namespace {

constexpr std::size_t few_events = 16;  // of a read while memory is short

}  // namespace

std::size_t BatchSize::next() const {
    const bool is_memory_short = options_.budget != nullptr && options_.budget->is_spent();
    return is_memory_short ? std::min(few_events, next_) : next_;
}

void BatchSize::record(std::span<const outbox::StoredEvent> events) {
    std::size_t bytes = 0;
    for (const outbox::StoredEvent& stored : events)
        bytes += sizeof stored + stored.event.payload.size();
    share_.resize_anyway(bytes);
    if (bytes > options_.batch_bytes_max) {
        next_ = std::max<std::size_t>(events.size() / 2, 1);
    } else if (bytes <= options_.batch_bytes_max / 2) {
        next_ = std::min(next_ * 2, options_.batch_max);
    }
}

}  // namespace trackops::relay
