// SIGTERM and SIGINT: the first one asks for an orderly end, the second one ends the process.
#pragma once
#include <memory>

#include "base/instant.hpp"

namespace trackops::apps {

// A thread of its own takes the signals, so that they count whatever the other threads wait for.
class EndSignals {
public:
    // Blocks the signals for this thread and those that it starts; call it before all of them.
    // The process ends at once, with exit code 128 plus the signal's number, at the second signal,
    // and with exit code 1 when it still runs `stop_within` after the first one. Both are safe at
    // any time, like a kill -9: what was promised is on disk.
    explicit EndSignals(Duration stop_within);
    // Waits for the first signal.
    void wait();
    // Returns true if the first signal has come or comes within `time`.
    bool wait_for(Duration time);

private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the thread, which runs to the end of the process
};

}  // namespace trackops::apps
