#include "load/line_reader.hpp"

#include <algorithm>

namespace trackops::load {

std::optional<std::string> LineReader::next() {
    auto& buffer = *input_.lines.rdbuf();
    constexpr auto end = std::char_traits<char>::eof();
    for (int c = buffer.sgetc(); c != end; c = buffer.sgetc()) {
        std::string line;
        while ((c = buffer.sbumpc()) != end && c != '\n') {
            ++bytes_;
            if (line.size() < line_bytes_max) line += static_cast<char>(c);
        }
        ++bytes_;
        ++number_;
        if (line.find_first_not_of(" \t\r") != std::string::npos) return line;
    }
    return std::nullopt;
}

std::int64_t LineReader::count_remaining_lines() {
    std::int64_t count = 0;
    while (next()) ++count;
    return count;
}

double LineReader::share() const {
    if (input_.bytes < 0) return -1;
    if (input_.bytes == 0) return 1;
    return std::min(1.0, static_cast<double>(bytes_) / static_cast<double>(input_.bytes));
}

}  // namespace trackops::load
