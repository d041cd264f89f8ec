#include "base/chance.hpp"

#include <random>

namespace trackops {
namespace {

class SystemChance final : public Chance {
public:
    double draw() override {
        thread_local std::minstd_rand generator(std::random_device{}());
        constexpr auto least = std::minstd_rand::min();
        constexpr double numbers = static_cast<double>(std::minstd_rand::max() - least) + 1;
        return static_cast<double>(generator() - least) / numbers;
    }
};

}  // namespace

Chance& system_chance() {
    static SystemChance chance;
    return chance;
}

}  // namespace trackops
