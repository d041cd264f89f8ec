// The pump between a subscription and a handler: batches in, offsets of what is done out, dead
// letters aside.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "platform/bus/bus.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::bus {

struct Done {};
struct DeadLetter {  // the message can never be handled: it goes to <topic>.DLT with its
                     // coordinates and this reason
    std::string reason;
};
struct RetryLater {  // not now; it and later messages of its key are given again after a backoff
    std::string reason;
};
using Disposition = std::variant<Done, DeadLetter, RetryLater>;
// One disposition a message, in order; another number of them is a std::logic_error out of run().
// May be given any message again (at least once). An exception means RetryLater for all of them;
// then batches get smaller, so that who throws ends up alone.
using Handler = std::function<std::vector<Disposition>(std::span<const Message>)>;

struct ConsumerOptions {
    std::string group;
    std::vector<std::string> topics;
    std::size_t batch_max = 256;                           // messages a call of the handler
    Duration backoff_min = std::chrono::milliseconds(20);  // after RetryLater, doubling to
    Duration backoff_max = std::chrono::seconds(2);
    const Clock* clock = nullptr;  // measures backoffs; the steady clock of the machine when null
};

// Offsets are committed for the contiguous prefix of each partition that is done or dead-lettered
// (and acknowledged as such by the bus). Dead letters carry headers dlt-topic, dlt-partition,
// dlt-offset, dlt-reason, dlt-group besides their own. While a key is held, those behind it in its
// partition go on being handled until four batches of them wait to be committed.
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
