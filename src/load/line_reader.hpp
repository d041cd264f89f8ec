// Reads the lines of the input one at a time.
#pragma once
#include <istream>
#include <optional>
#include <string>

#include "load/run.hpp"

namespace trackops::load {

inline constexpr std::size_t line_bytes_max = 4 * 1024 * 1024;

class LineReader {
public:
    explicit LineReader(Input input) : input_(input) {}
    // Returns the next line that is not blank, without its line break, or nothing at the end. A
    // line longer than line_bytes_max is truncated and therefore does not parse.
    std::optional<std::string> next();
    // The 1-based number of the line that next() returned.
    std::int64_t number() const { return number_; }
    // Reads to the end of the input and returns the number of lines that were left, blank lines not
    // counted.
    std::int64_t count_remaining_lines();
    // The part of the input that has been read, from 0 to 1; negative if the input's size is
    // unknown.
    double share() const;

private:
    Input input_;
    std::int64_t number_ = 0;
    std::int64_t bytes_ = 0;
};

}  // namespace trackops::load
