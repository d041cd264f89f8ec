// Typed parameters and rows, the same for both databases.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/id.hpp"
#include "base/instant.hpp"
#include "base/uuid.hpp"

namespace trackops::sql {

struct Null {
    bool operator==(const Null&) const = default;
};
struct Json {  // text of a JSON value: jsonb in PostgreSQL, TEXT in SQLite
    std::string text;
    bool operator==(const Json&) const = default;
};
struct Bytes {  // bytea, BLOB
    std::string bytes;
    bool operator==(const Bytes&) const = default;
};

// A parameter. Text must be UTF-8 without NUL; both drivers refuse other text (Fault::bad_data,
// SQLSTATE 22021).
class Value {
public:
    using Variant = std::variant<Null, std::int64_t, bool, std::string, Bytes, Uuid, Instant, Json>;

    Value() = default;
    Value(Null) {}
    Value(bool value) : variant_(value) {}
    Value(int value) : variant_(std::int64_t{value}) {}
    Value(std::int64_t value) : variant_(value) {}
    Value(std::string value) : variant_(std::move(value)) {}
    Value(std::string_view value) : variant_(std::string(value)) {}
    Value(const char* value) : variant_(std::string(value)) {}
    Value(Bytes value) : variant_(std::move(value)) {}
    Value(Uuid value) : variant_(value) {}
    Value(Instant value) : variant_(value) {}
    Value(Json value) : variant_(std::move(value)) {}
    template <class Tag>
    Value(Id<Tag> id) : variant_(id.uuid) {}
    template <class T>
    Value(const std::optional<T>& value) {
        if (value) *this = Value(*value);
    }

    const Variant& variant() const { return variant_; }
    bool is_null() const { return std::holds_alternative<Null>(variant_); }

private:
    Variant variant_;
};

using Params = std::vector<Value>;

// One row of a result. The caller reads a column by position as the type it expects; a wrong type
// is a programming error and throws std::logic_error. SQLite has only TEXT and INTEGER, so its text
// is parsed as Uuid, Instant or Json.
class Row {
public:
    explicit Row(std::vector<Value> columns) : columns_(std::move(columns)) {}
    std::size_t size() const { return columns_.size(); }
    bool is_null(std::size_t column) const { return columns_.at(column).is_null(); }
    std::int64_t integer(std::size_t column) const;
    bool boolean(std::size_t column) const;
    const std::string& text(std::size_t column) const;  // of text and json columns
    const std::string& bytes(std::size_t column) const;
    Uuid uuid(std::size_t column) const;
    Instant instant(std::size_t column) const;
    // The same; nothing for NULL.
    std::optional<std::int64_t> maybe_integer(std::size_t column) const;
    std::optional<std::string> maybe_text(std::size_t column) const;
    std::optional<Uuid> maybe_uuid(std::size_t column) const;
    std::optional<Instant> maybe_instant(std::size_t column) const;

private:
    std::vector<Value> columns_;
};

}  // namespace trackops::sql
