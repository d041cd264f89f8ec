// Drives each pump on its own thread until stop().
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/backoff.hpp"
#include "base/chance.hpp"
#include "platform/runtime/pump.hpp"

namespace trackops::telemetry {
class Registry;
}

namespace trackops::runtime {

// The wait between two calls of a pump that fails.
inline constexpr BackoffLimits pump_backoff{std::chrono::milliseconds(100),
                                            std::chrono::seconds(5)};

// Calls each pump's run() in a loop on its own thread. Between calls the thread sleeps for
// Progress::call_again_in (at most a minute); wake() and stop() end that sleep. An exception from
// run() is logged and counted (trackops_pump_failures_total{pump}), and the pump is called again
// after a backoff (pump_backoff); a success resets it. Only stop() ends a backoff early.
class PumpThreads {
public:
    // `metrics` and `chance`, which draws the jitter of backoffs, outlive this.
    explicit PumpThreads(telemetry::Registry& metrics, Chance& chance = system_chance());
    ~PumpThreads();  // calls stop()
    // Starts a thread for the pump. The pump must live until stop() or the end of this object.
    // Thread names are cut to 15 bytes. A pump that allows concurrent calls may be added several
    // times. Throws std::logic_error after stop().
    void add(std::string name, Pump& pump);
    void add(const std::vector<NamedPump>& pumps);  // with the number of threads that each wants
    // Ends the sleep between calls of run(), and a wait inside run(), for every entry of this pump.
    // A wake during run() cancels the sleep after it. Thread-safe; cheap.
    void wake(Pump& pump);
    // Waits for every run() in progress, then joins the threads. Pumps stop in the reverse order of
    // add(); a pump that was added several times stops at the place of its last entry. Idempotent
    // and thread-safe. A pump must not call it.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::runtime
