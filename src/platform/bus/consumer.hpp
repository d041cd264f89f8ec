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
struct Again {  // not now; it and later messages of its key are given again after a backoff
    std::string reason;
};
using Disposition = std::variant<Done, DeadLetter, Again>;
// One disposition a message, in order. May be given any message again (at least once). An exception
// means Again for all of them.
using Handler = std::function<std::vector<Disposition>(std::span<const Message>)>;

struct ConsumerOptions {
    std::string group;
    std::vector<std::string> topics;
    std::size_t batch_max = 256;                           // messages a call of the handler
    Duration backoff_min = std::chrono::milliseconds(20);  // after Again, doubling to
    Duration backoff_max = std::chrono::seconds(2);
};

// Offsets are committed for the contiguous prefix of each partition that is done or dead-lettered
// (and acknowledged as such by the bus). Dead letters carry headers dlt-topic, dlt-partition,
// dlt-offset, dlt-reason, dlt-group besides their own.
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
