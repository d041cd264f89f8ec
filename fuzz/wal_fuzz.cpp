// Fuzzes the state of a replication stream over many frames: the position in the log never goes
// back, and confirmed events do not come again.
#include <utility>

#include "fuzz/promise.hpp"
#include "platform/relay/wal/events.hpp"

namespace trackops::fuzz {
namespace {

// Removes and returns one frame. Its first byte is the length. If that is 255, four times the next
// byte is added.
std::string_view take_frame(std::string_view& rest) {
    const auto byte = [&rest] {
        if (rest.empty()) return std::size_t{0};
        const std::size_t value = static_cast<unsigned char>(rest.front());
        rest.remove_prefix(1);
        return value;
    };
    std::size_t length = byte();
    if (length == 255) length += 4 * byte();
    const std::string_view frame = rest.substr(0, length);
    rest.remove_prefix(frame.size());
    return frame;
}

}  // namespace
}  // namespace trackops::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace trackops;
    using fuzz::promise;
    std::string_view rest = fuzz::text_of(data, size);
    const auto published = outbox::Snapshot::parse(fuzz::take_line(rest));
    if (!published) return 0;
    const relay::WalPosition from{{0x1000}, 5};
    relay::WalEvents events(from, *published);
    std::deque<relay::WalStep> steps;
    relay::WalPosition last = from;
    while (!rest.empty()) {
        const auto taken = events.take(fuzz::take_frame(rest), steps);
        for (; !steps.empty(); steps.pop_front()) {
            const relay::WalStep& step = steps.front();
            promise(step.after.lsn >= last.lsn, "the place in the log never goes back");
            last = step.after;
            if (!step.event) continue;
            promise(!published->sees(step.xid), "what was published does not come again");
            promise(step.after.cursor == step.event->position, "the cursor stands at the event");
            promise(step.after.lsn != from.lsn || step.event->position > 0,
                    "what is done with does not come again");
        }
        if (!taken) {
            promise(taken.error().code == Errc::malformed && !taken.error().detail.empty(),
                    "a refusal says why");
            return 0;
        }
    }
    return 0;
}
