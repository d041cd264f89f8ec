// The port for chance where no id is wanted: the jitter of waits.
#pragma once

namespace trackops {

class Chance {
public:
    virtual ~Chance() = default;
    // Returns a number in [0, 1); each is equally likely. Not fit for secrets. Thread-safe.
    virtual double draw() = 0;
};

// The chance of the machine: one small generator for each thread, seeded at random. It takes no
// lock.
Chance& system_chance();

}  // namespace trackops
