// PostgreSQL's binary forms of our values, both ways. Pure: no libpq, no I/O.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "platform/sql/value.hpp"

namespace trackops::sql::postgres {

using Oid = unsigned int;  // names a type in PostgreSQL's catalogue

// Which parameter ($1 is 1) or column (the first is 1) of which query: for messages.
struct Place {
    std::string_view query;
    std::size_t number;
};

// Appends a value that is not NULL as the parameter type wants it. Throws std::logic_error when the
// kinds do not fit, Failure (culprit) when an integer or an instant is out of the type's range.
void append_value(std::string& out, const Value& value, Oid type, Place place);
// Appends one column of many rows as a one-dimensional array; its elements may be NULL.
void append_array(std::string& out, std::span<const Params> rows, Oid type, Place place);
// Throws std::logic_error for a type that has no Value (numeric, float8, arrays, ...).
Value decode(std::string_view binary, Oid type, Place place);

// What no server would take: throws Failure (culprit, 22021) when text or JSON holds NUL or is not
// UTF-8.
void refuse_bad_text(const Value& value, Place place);

}  // namespace trackops::sql::postgres
