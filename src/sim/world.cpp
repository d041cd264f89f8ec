#include "sim/world.hpp"

#include "sim/crash.hpp"

namespace trackops::sim {

void ProcessContext::enter_port_call(Fault crash, bool may_be_preempted) {
    if (has_crashed) throw Crash();
    if (is_closing) return;
    if (world.faults.occurs(crash)) {
        has_crashed = true;
        world.trace(name, "DIES ({})", name_of(crash));
        throw Crash();
    }
    if (may_be_preempted && world.open_transactions == 0 && world.faults.occurs(Fault::preempted))
        world.run_others();
    if (has_crashed) throw Crash();
}

void ProcessContext::stall() {
    if (has_crashed) throw Crash();
    if (is_closing || !world.faults.occurs(Fault::sql_slow)) return;
    for (int i = 0; i < 4 && world.open_transactions == 0; ++i) {
        world.run_others();
        world.now =
            world.now + world.schedule.between(Duration(100), std::chrono::milliseconds(50));
    }
    if (has_crashed) throw Crash();
}

}  // namespace trackops::sim
