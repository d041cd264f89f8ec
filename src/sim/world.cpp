#include "sim/world.hpp"

#include "sim/crash.hpp"

namespace trackops::sim {

void Site::enter(Fault crash, bool may_be_overtaken) {
    if (is_doomed) throw Crash();
    if (is_closing) return;
    if (world.faults.strikes(crash)) {
        is_doomed = true;
        world.tell(name, "DIES ({})", name_of(crash));
        throw Crash();
    }
    if (may_be_overtaken && world.open_transactions == 0 && world.faults.strikes(Fault::overtaken))
        world.let_others_run();
    if (is_doomed) throw Crash();
}

void Site::stall() {
    if (is_doomed) throw Crash();
    if (is_closing || !world.faults.strikes(Fault::sql_slow)) return;
    for (int i = 0; i < 3 && world.open_transactions == 0; ++i) world.let_others_run();
    world.now = world.now + world.schedule.between(Duration(100), std::chrono::milliseconds(200));
    if (is_doomed) throw Crash();
}

}  // namespace trackops::sim
