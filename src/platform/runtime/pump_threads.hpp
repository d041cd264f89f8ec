// Drives pumps with threads, one each, until told to stop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "platform/runtime/pump.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::runtime {

// Calls each pump's run() in a loop on its own thread; sleeps as long as the pump says it may be
// left alone (at most a minute), and ends that sleep on wake() or stop(). An exception out of run()
// is logged and counted (trackops_pump_failures_total{pump}) and the pump is called again after a
// backoff (100 ms doubling to 5 s, back to 100 ms after a success), which only stop() ends early.
class PumpThreads {
public:
    explicit PumpThreads(telemetry::Registry& metrics);  // outlives this
    ~PumpThreads();                                      // stop()
    // Starts a thread for the pump. The pump outlives this object or its stop(). Thread names are
    // cut to 15 bytes. The same pump may be added more than once if it allows concurrent calls.
    // std::logic_error after stop().
    void add(std::string name, Pump& pump);
    void add(const std::vector<NamedPump>& pumps);  // as each wants it
    // Ends a sleep between calls of run() of every entry of this pump, and its wait inside. A wake
    // during run() cancels the sleep after it. Thread-safe; cheap.
    void wake(Pump& pump);
    // Lets every run() that is under way finish, then joins. Pumps stop in the reverse order of
    // add(), one that was added more than once with its last entry. Idempotent, thread-safe; not to
    // be called from a pump.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::runtime
