// The consumer is the pump between a subscription and a handler: it hands batches to the handler,
// commits offsets and publishes dead letters.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/backoff.hpp"
#include "base/chance.hpp"
#include "platform/bus/bus.hpp"
#include "platform/runtime/budget.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::telemetry {
class Tracer;
}

namespace trackops::bus {

struct Done {};
// The message can never be handled. It goes to <topic>.DLT with its coordinates and this reason.
struct DeadLetter {
    std::string reason;
};
// The message cannot be handled now. It and the later messages of its key come again after a
// backoff.
struct RetryLater {
    std::string reason;
};
using Disposition = std::variant<Done, DeadLetter, RetryLater>;
// Returns one disposition for each message, in order; any other number makes run() throw
// std::logic_error. A handler may receive a message more than once. An exception counts as
// RetryLater for the whole batch; then batches shrink until the failing message is alone.
using Handler = std::function<std::vector<Disposition>(std::span<const Message>)>;

struct ConsumerOptions {
    std::string group;
    std::vector<std::string> topics;
    std::size_t batch_max = 256;  // messages a call of the handler
    BackoffLimits backoff = {std::chrono::milliseconds(20),
                             std::chrono::seconds(2)};  // after RetryLater
    const Clock* clock = nullptr;       // measures the backoff; null: the machine's steady clock
    Chance* chance = &system_chance();  // draws the jitter of the backoff
    // Pays for the messages that are not done. Spent: the consumer takes one message at a time, and
    // none of a partition that has a message to handle again. Null: not counted.
    runtime::Budget* budget = nullptr;
    // Takes the spans of the messages; null: no spans. It outlives the consumer.
    telemetry::Tracer* tracer = nullptr;
};

// The consumer commits the offset of the contiguous prefix of each partition that is done or
// dead-lettered (and whose dead letters the bus has acknowledged). A dead letter carries the
// headers dlt-topic, dlt-partition, dlt-offset, dlt-reason and dlt-group besides its own. While a
// key is held back, the other messages of its partition go on, until four batches of them wait to
// be committed.
class Consumer final : public runtime::Pump {
public:
    Consumer(Bus& bus, ConsumerOptions options, Handler handler, telemetry::Registry& metrics);
    ~Consumer() override;
    runtime::Progress run(Duration max_wait) override;
    void wake() override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::bus
