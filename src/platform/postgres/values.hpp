// Converts our values to and from PostgreSQL's binary formats. Pure: no libpq, no I/O.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "platform/sql/value.hpp"

namespace trackops::sql::postgres {

using Oid = unsigned int;  // identifies a type in PostgreSQL's catalogue

// A parameter or a column of a query, counted from 1. For messages.
struct Place {
    std::string_view query;
    std::size_t number;
};

// Appends a non-null value in the format of the parameter's type. Throws std::logic_error if the
// kind does not fit the type. Throws Failure (bad_data) if an integer or an instant is out of the
// type's range.
void append_value(std::string& out, const Value& value, Oid type, Place place);
// Appends one column of several rows as a one-dimensional array. Its elements may be NULL.
void append_array(std::string& out, std::span<const Params> rows, Oid type, Place place);
// Throws std::logic_error for a type without a counterpart in Value (numeric, float8, arrays, ...).
Value decode(std::string_view binary, Oid type, Place place);

// Throws Failure (bad_data, 22021) for text or JSON that contains NUL or is not UTF-8, because
// every server refuses it.
void refuse_bad_text(const Value& value, Place place);

}  // namespace trackops::sql::postgres
