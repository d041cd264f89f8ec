// The input's lines, one at a time.
#pragma once
#include <istream>
#include <optional>
#include <string>

#include "load/load.hpp"

namespace trackops::load {

inline constexpr std::size_t line_bytes_max = 4 * 1024 * 1024;

class LineReader {
public:
    explicit LineReader(Input input) : input_(input) {}
    // Without its end; empty lines are skipped. What is beyond line_bytes_max is cut off, so such a
    // line does not parse.
    std::optional<std::string> next();
    std::int64_t number() const { return number_; }  // of the line that next() gave, from 1
    // Reads to the end and says how many lines that were.
    std::int64_t count_remaining_lines();
    double share() const;  // of the input that has been read; negative when its size is not known

private:
    Input input_;
    std::int64_t number_ = 0;
    std::int64_t bytes_ = 0;
};

}  // namespace trackops::load
