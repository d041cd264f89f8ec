// Loads stock items in chunks, one after the other.
#pragma once
#include "load/courier.hpp"
#include "load/lines.hpp"
#include "load/tally.hpp"

namespace trackops::load {

inline constexpr std::size_t chunk_lines_max = 500;
inline constexpr std::size_t chunk_bytes_max = 256 * 1024;

class ItemLoad {
public:
    ItemLoad(Wire& wire, Lines& lines) : wire_(wire), lines_(lines), courier_(wire) {}
    LoadReport play(const ProgressOptions& progress);

private:
    void next_chunk(const ProgressOptions& progress);
    void count(const Answer& answer, std::int64_t first_line, std::int64_t sent);
    Wire& wire_;
    Lines& lines_;
    Courier courier_;
    Tally tally_;
};

}  // namespace trackops::load
