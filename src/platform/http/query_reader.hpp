// Reads the parameters of a query by name and reports every fault at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/http/message.hpp"

namespace trackops::http {

inline constexpr std::size_t page_limit_default = 50;  // entries of a page
inline constexpr std::size_t page_limit_max = 500;

// Parses all of `text` as a decimal integer; returns nothing if it contains any other character.
std::optional<std::int64_t> whole_number(std::string_view text);

// `request` outlives the reader.
class QueryReader {
public:
    // `known` lists the allowed parameters; each may occur once. Any other parameter is a fault.
    QueryReader(const Request& request, std::initializer_list<std::string_view> known);

    // Returns the result of `read` (text -> optional) for the parameter; nothing if it is absent.
    // If `read` returns nothing, adds a fault with the detail `expected`.
    template <class Read>
    auto value(std::string_view name, std::string_view expected, Read read)
        -> decltype(read(std::string_view())) {
        const auto text = request_.query_value(name);
        if (!text) return std::nullopt;
        auto made = read(*text);
        if (!made) fault(name, expected, "format");
        return made;
    }
    // Reads `limit`, 1 to page_limit_max; page_limit_default if it is absent.
    std::size_t limit();
    void fault(std::string_view name, std::string_view detail, std::string_view code);

    // Returns `made`, or Errc::invalid with every fault.
    template <class T>
    Result<T> finish(T made) {
        if (faults_.empty()) return made;
        return fail(Errc::invalid, "the query is not valid", std::move(faults_));
    }

private:
    const Request& request_;
    std::vector<FieldError> faults_;
};

}  // namespace trackops::http
