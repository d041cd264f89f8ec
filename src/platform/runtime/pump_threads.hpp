// Drives each pump on its own thread until stop().
#pragma once
#include <cstdint>
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

// The work of one thread of a pump so far, and what it does now.
struct PumpState {
    std::string name;
    bool is_running = false;  // inside run(); otherwise it waits for the next call
    std::uint64_t runs = 0;   // calls of run() that have ended, failures included
    std::uint64_t done = 0;   // units of work of all calls
    std::uint64_t failures = 0;
    std::string last_error;       // of the last failure; "" without one
    Duration since_last_start{};  // from the start of the last call; zero before the first one
    Duration last_took{};         // the time of the last call that has ended
    Duration next_in{};           // until the next call, unless it is woken; zero while it runs
};

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
    // Returns one state for each thread, in the order of add(). Thread-safe; waits for no pump.
    std::vector<PumpState> states() const;
    // Waits for every run() in progress, then joins the threads. Pumps stop in the reverse order of
    // add(); a pump that was added several times stops at the place of its last entry. Idempotent
    // and thread-safe. A pump must not call it.
    void stop();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trackops::runtime
