// The number of events of the relay's next read, which depends on their size and on the memory that
// is left.
#pragma once
#include <cstddef>
#include <span>

#include "platform/outbox/stored_event.hpp"
#include "platform/relay/relay.hpp"
#include "platform/runtime/budget.hpp"

namespace trackops::relay {

// Not thread-safe.
class BatchSize {
public:
    explicit BatchSize(const RelayOptions& options)
        : options_(options),
          share_(options.budget, runtime::Spending::relay),
          next_(options.batch_max) {}
    // Returns the most events to read next; a few while the budget is spent.
    std::size_t next() const;
    // Counts the events that were read. Large ones halve the next read, small ones double it.
    void record(std::span<const outbox::StoredEvent> events);
    void forget() { share_.reset(); }  // the events are published, or read again later

private:
    const RelayOptions& options_;
    runtime::Share share_;
    std::size_t next_;
};

}  // namespace trackops::relay
