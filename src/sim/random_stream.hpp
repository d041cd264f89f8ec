// Seeded random numbers: the same in every run, with a separate stream for each purpose. Not
// thread-safe.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/instant.hpp"

namespace trackops::sim {

class RandomStream {
public:
    RandomStream(std::uint64_t seed, std::string_view purpose) : state_(seed) {
        for (const char letter : purpose) state_ = next() ^ static_cast<unsigned char>(letter);
    }
    std::uint64_t next() {  // SplitMix64
        state_ += 0x9e3779b97f4a7c15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31);
    }
    std::size_t below(std::size_t end) { return static_cast<std::size_t>(next() % end); }
    double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }  // in [0, 1)
    bool happens(double probability) { return fraction() < probability; }
    Duration between(Duration least, Duration most) {
        const auto span = static_cast<std::size_t>((most - least).count());
        return least + Duration(static_cast<std::int64_t>(below(span + 1)));
    }
    template <class List>
    auto& pick(List& list) {
        return list[below(list.size())];
    }

private:
    std::uint64_t state_;
};

}  // namespace trackops::sim
