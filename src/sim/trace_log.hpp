// The trace of a run, line by line: it is passed to a listener and summed up in a hash.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/instant.hpp"
#include "base/uuid.hpp"

namespace trackops::sim {

class TraceLog {
public:
    using Listener = std::function<void(std::string_view line)>;
    explicit TraceLog(Listener listener) : listener_(std::move(listener)) {}

    // since: the world's time since its beginning.
    template <class... Parts>
    void trace(Duration since, std::string_view who, fmt::format_string<Parts...> what,
               Parts&&... parts) {
        line_.clear();
        fmt::format_to(std::back_inserter(line_), "{:4}.{:06} {:<12} ", since.count() / 1'000'000,
                       since.count() % 1'000'000, who);
        fmt::format_to(std::back_inserter(line_), what, std::forward<Parts>(parts)...);
        end_line();
    }
    // Returns an order's short name: O1, O2, ... in the order of their first mention.
    const std::string& name_of(Uuid order);
    std::uint64_t hash() const { return hash_; }
    std::int64_t lines() const { return lines_; }

private:
    void end_line();

    const Listener listener_;
    std::string line_;
    std::map<Uuid, std::string> names_;
    std::uint64_t hash_ = 0xcbf29ce484222325;
    std::int64_t lines_ = 0;
};

}  // namespace trackops::sim
