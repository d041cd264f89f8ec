#include "platform/sql/value.hpp"

#include <stdexcept>

#include <fmt/format.h>

namespace trackops::sql {
namespace {

// In the order of Value::Variant.
constexpr const char* kinds[] = {"NULL",  "integer", "boolean", "text",
                                 "bytes", "uuid",    "instant", "json"};
static_assert(std::size(kinds) == std::variant_size_v<Value::Variant>);

[[noreturn]] void type_error(std::size_t column, const Value& value, const char* asked) {
    throw std::logic_error(
        fmt::format("column {} is {}, not {}", column, kinds[value.variant().index()], asked));
}

// Returns the column as T; SQLite stores it as text.
template <class T>
T parsed(std::size_t column, const Value& value, const char* asked) {
    if (const auto* typed = std::get_if<T>(&value.variant())) return *typed;
    if (const auto* text = std::get_if<std::string>(&value.variant())) {
        if (const auto result = T::parse(*text)) return *result;
    }
    type_error(column, value, asked);
}

}  // namespace

std::int64_t Row::integer(std::size_t column) const {
    const auto& value = columns_.at(column);
    if (const auto* integer = std::get_if<std::int64_t>(&value.variant())) return *integer;
    type_error(column, value, "integer");
}

bool Row::boolean(std::size_t column) const {
    const auto& value = columns_.at(column);
    if (const auto* boolean = std::get_if<bool>(&value.variant())) return *boolean;
    const auto* integer = std::get_if<std::int64_t>(&value.variant());
    if (integer != nullptr && (*integer == 0 || *integer == 1)) return *integer == 1;
    type_error(column, value, "boolean");
}

const std::string& Row::text(std::size_t column) const {
    const auto& value = columns_.at(column);
    if (const auto* text = std::get_if<std::string>(&value.variant())) return *text;
    if (const auto* json = std::get_if<Json>(&value.variant())) return json->text;
    type_error(column, value, "text");
}

const std::string& Row::bytes(std::size_t column) const {
    const auto& value = columns_.at(column);
    if (const auto* bytes = std::get_if<Bytes>(&value.variant())) return bytes->bytes;
    type_error(column, value, "bytes");
}

Uuid Row::uuid(std::size_t column) const {
    return parsed<Uuid>(column, columns_.at(column), "uuid");
}

Instant Row::instant(std::size_t column) const {
    return parsed<Instant>(column, columns_.at(column), "instant");
}

std::optional<std::int64_t> Row::maybe_integer(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

std::optional<std::string> Row::maybe_text(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}

std::optional<Uuid> Row::maybe_uuid(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return uuid(column);
}

std::optional<Instant> Row::maybe_instant(std::size_t column) const {
    if (is_null(column)) return std::nullopt;
    return instant(column);
}

}  // namespace trackops::sql
