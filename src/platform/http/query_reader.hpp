// Reads the parameters of a query by name and reports every fault at once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

inline constexpr std::size_t page_limit_default = 50;  // entries of a page
inline constexpr std::size_t page_limit_max = 500;

// Parses all of `text` as a decimal integer; returns nothing if it contains any other character.
std::optional<std::int64_t> whole_number(std::string_view text);

// `request` outlives the reader.
class QueryReader {
public:
    // `known` lists the allowed parameters; each may occur once, those of `repeatable` more often.
    // Any other parameter is a fault.
    QueryReader(const Request& request, std::initializer_list<std::string_view> known,
                std::initializer_list<std::string_view> repeatable = {});

    // Returns the result of `read` (text -> optional) for the parameter; nothing if it is absent or
    // empty, because an empty filter is no filter. If `read` returns nothing, adds a fault with the
    // detail `expected`.
    template <class Read>
    auto value(std::string_view name, std::string_view expected, Read read)
        -> decltype(read(std::string_view())) {
        const auto text = request_.query_value(name);
        if (!text || text->empty()) return std::nullopt;
        auto made = read(*text);
        if (!made) fault(name, expected, "format");
        return made;
    }
    // Reads `limit`, 1 to page_limit_max; page_limit_default if it is absent or empty.
    std::size_t limit();
    // Returns the text without the blanks at its ends; nothing if it is absent, empty or of blanks.
    // More than `characters_max` code points are a fault.
    std::optional<std::string> text(std::string_view name, std::size_t characters_max);
    // Returns the index of the value among `names`, which are in capitals; the client may write it
    // in any case.
    std::optional<std::size_t> choice(std::string_view name,
                                      std::span<const std::string_view> names);
    // Returns the indices of all values of a parameter that may be repeated, each once; a value
    // may list several, separated by commas. As choice(); empty if the parameter is absent.
    std::vector<std::size_t> choices(std::string_view name,
                                     std::span<const std::string_view> names);
    // As parse_leniently().
    std::optional<Instant> time(std::string_view name);
    // Reads an Id<...>.
    template <class Identifier>
    std::optional<Identifier> id(std::string_view name) {
        return value(name, "must be a UUID, such as 018bcfe5-687b-7abc-8123-456789abcdef",
                     Identifier::parse);
    }
    // Reads `cursor` with `read`.
    template <class Read>
    auto cursor(Read read) -> decltype(read(std::string_view())) {
        return value("cursor", "must be the nextCursor of a page of this list", read);
    }
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
