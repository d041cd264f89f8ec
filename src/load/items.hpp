// Loads stock items in chunks, one chunk at a time.
#pragma once
#include "load/line_reader.hpp"
#include "load/report_builder.hpp"
#include "load/retrying_client.hpp"

namespace trackops::load {

inline constexpr std::size_t chunk_lines_max = 500;
inline constexpr std::size_t chunk_bytes_max = 256 * 1024;

class ItemLoader {
public:
    ItemLoader(HttpClient& client, LineReader& lines)
        : client_(client), lines_(lines), retrying_client_(client) {}
    LoadReport play(const ProgressOptions& progress);

private:
    void next_chunk(const ProgressOptions& progress);
    void count(const Response& response, std::int64_t first_line, std::int64_t sent);
    HttpClient& client_;
    LineReader& lines_;
    RetryingClient retrying_client_;
    ReportBuilder report_builder_;
};

}  // namespace trackops::load
