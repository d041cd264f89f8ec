#include "platform/postgres/values.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

#include "platform/sql/database.hpp"
#include "platform/sql/utf8.hpp"

namespace trackops::sql::postgres {
namespace {

enum class Form : std::uint8_t {
    int2,
    int4,
    int8,
    boolean,
    text,
    bytea,
    uuid,
    instant,
    json,
    jsonb,
    nothing
};

struct Type {
    Oid oid;
    Oid array;  // 0: not supported as a parameter of add_batch()
    Form form;
    const char* name;
};

// From pg_type.dat. These numbers never change.
constexpr auto types = std::to_array<Type>({
    {20, 1016, Form::int8, "bigint"},
    {25, 1009, Form::text, "text"},
    {2950, 2951, Form::uuid, "uuid"},
    {1184, 1185, Form::instant, "timestamptz"},
    {3802, 3807, Form::jsonb, "jsonb"},
    {16, 1000, Form::boolean, "boolean"},
    {23, 1007, Form::int4, "integer"},
    {17, 1001, Form::bytea, "bytea"},
    {21, 1005, Form::int2, "smallint"},
    {114, 199, Form::json, "json"},
    {1043, 1015, Form::text, "varchar"},
    {19, 1003, Form::text, "name"},
    {1042, 1014, Form::text, "char(n)"},
    {2278, 0, Form::nothing, "void"},  // the result type of SELECT pg_advisory_xact_lock()
});

// PostgreSQL counts from the year 2000.
constexpr std::int64_t epoch_2000_micros = 946'684'800'000'000;
constexpr char jsonb_version = 1;

// In the order of Value::Variant.
constexpr std::array kinds = {"NULL",  "an integer", "a boolean",  "text",
                              "bytes", "a uuid",     "an instant", "json"};
static_assert(kinds.size() == std::variant_size_v<Value::Variant>);

template <class T>
void append_big_endian(std::string& out, T value) {
    std::array<char, sizeof(T)> bytes;
    for (std::size_t i = sizeof(T); i-- > 0;
         value = static_cast<T>(static_cast<std::uint64_t>(value) >> 8)) {
        bytes[i] = static_cast<char>(value & 0xff);
    }
    out.append(bytes.data(), bytes.size());
}

template <class T>
T read_big_endian(std::string_view binary, Place place) {
    if (binary.size() != sizeof(T)) {
        throw std::logic_error(fmt::format("query {}: column {} has {} bytes, not {}", place.query,
                                           place.number, binary.size(), sizeof(T)));
    }
    std::uint64_t value = 0;
    for (const char byte : binary) value = value << 8 | static_cast<unsigned char>(byte);
    return static_cast<T>(value);
}

const Type* find_type(Oid oid) {
    const auto found = std::ranges::find(types, oid, &Type::oid);
    return found == types.end() ? nullptr : &*found;
}

[[noreturn]] void type_mismatch(const Value& value, std::string_view type, Place place) {
    throw std::logic_error(fmt::format("query {}: parameter ${} is {} in PostgreSQL and {} here",
                                       place.query, place.number, type,
                                       kinds[value.variant().index()]));
}

template <class Integer>
void append_integer(std::string& out, std::int64_t value, Place place) {
    if (value < std::numeric_limits<Integer>::min() ||
        value > std::numeric_limits<Integer>::max()) {
        throw Failure(Fault::bad_data, "22003",
                      fmt::format("query {}: parameter ${} is out of its type's range", place.query,
                                  place.number));
    }
    append_big_endian(out, static_cast<Integer>(value));
}

void append_instant(std::string& out, Instant value, Place place) {
    std::int64_t since_2000 = 0;
    if (__builtin_sub_overflow(value.micros, epoch_2000_micros, &since_2000)) {
        throw Failure(
            Fault::bad_data, "22008",
            fmt::format("query {}: parameter ${} is no point in time", place.query, place.number));
    }
    append_big_endian(out, since_2000);
}

template <class T>
const T& as(const Value& value, const Type& type, Place place) {
    if (const auto* typed = std::get_if<T>(&value.variant())) return *typed;
    type_mismatch(value, type.name, place);
}

void append_as(std::string& out, const Value& value, const Type& type, Place place) {
    switch (type.form) {
        case Form::int2:
            return append_integer<std::int16_t>(out, as<std::int64_t>(value, type, place), place);
        case Form::int4:
            return append_integer<std::int32_t>(out, as<std::int64_t>(value, type, place), place);
        case Form::int8:
            return append_big_endian(out, as<std::int64_t>(value, type, place));
        case Form::boolean:
            out += static_cast<char>(as<bool>(value, type, place));
            return;
        case Form::text:
            out += as<std::string>(value, type, place);
            return;
        case Form::bytea:
            out += as<Bytes>(value, type, place).bytes;
            return;
        case Form::uuid: {
            const auto& bytes = as<Uuid>(value, type, place).bytes;
            out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return;
        }
        case Form::instant:
            return append_instant(out, as<Instant>(value, type, place), place);
        case Form::jsonb:
            out += jsonb_version;
            [[fallthrough]];
        case Form::json:
            out += as<Json>(value, type, place).text;
            return;
        case Form::nothing:
            break;
    }
    type_mismatch(value, type.name, place);
}

Instant decode_instant(std::string_view binary, Place place) {
    std::int64_t micros = 0;
    if (__builtin_add_overflow(read_big_endian<std::int64_t>(binary, place), epoch_2000_micros,
                               &micros)) {
        throw std::logic_error(
            fmt::format("query {}: column {} is infinite", place.query, place.number));
    }
    return {micros};
}

}  // namespace

void append_value(std::string& out, const Value& value, Oid type, Place place) {
    const Type* known = find_type(type);
    if (known == nullptr)
        type_mismatch(value, fmt::format("of a type (oid {}) that has no Value", type), place);
    append_as(out, value, *known, place);
}

void append_array(std::string& out, std::span<const Params> rows, Oid type, Place place) {
    const auto* element = type == 0 ? types.end() : std::ranges::find(types, type, &Type::array);
    if (element == types.end()) {
        throw std::logic_error(
            fmt::format("query {}: parameter ${} must be an array of a type that has a Value, as "
                        "in ${}::uuid[]",
                        place.query, place.number, place.number));
    }
    const auto value_of = [&](const Params& row) -> const Value& { return row[place.number - 1]; };
    const bool has_null =
        std::ranges::any_of(rows, [&](const Params& row) { return value_of(row).is_null(); });
    append_big_endian<std::int32_t>(out, 1);  // number of dimensions
    append_big_endian<std::int32_t>(out, has_null ? 1 : 0);
    append_big_endian<std::uint32_t>(out, element->oid);
    append_big_endian<std::int32_t>(out, static_cast<std::int32_t>(rows.size()));
    append_big_endian<std::int32_t>(out, 1);  // index of the first element
    for (const Params& row : rows) {
        const std::size_t length_at = out.size();
        append_big_endian<std::int32_t>(out, -1);
        if (value_of(row).is_null()) continue;
        append_as(out, value_of(row), *element, place);
        std::string length;
        append_big_endian(length, static_cast<std::int32_t>(out.size() - length_at - 4));
        std::ranges::copy(length, out.begin() + static_cast<std::ptrdiff_t>(length_at));
    }
}

Value decode(std::string_view binary, Oid type, Place place) {
    const Type* known = find_type(type);
    if (known == nullptr) {
        throw std::logic_error(fmt::format(
            "query {}: column {} has a type (oid {}) that has no Value: CAST it to bigint or text",
            place.query, place.number, type));
    }
    switch (known->form) {
        case Form::int2:
            return std::int64_t{read_big_endian<std::int16_t>(binary, place)};
        case Form::int4:
            return std::int64_t{read_big_endian<std::int32_t>(binary, place)};
        case Form::int8:
            return read_big_endian<std::int64_t>(binary, place);
        case Form::boolean:
            return read_big_endian<std::int8_t>(binary, place) != 0;
        case Form::text:
            return binary;
        case Form::bytea:
            return Bytes{std::string(binary)};
        case Form::uuid: {
            Uuid uuid;
            if (binary.size() != uuid.bytes.size()) break;
            std::memcpy(uuid.bytes.data(), binary.data(), binary.size());
            return uuid;
        }
        case Form::instant:
            return decode_instant(binary, place);
        case Form::json:
            return Json{std::string(binary)};
        case Form::jsonb:
            if (binary.empty() || binary.front() != jsonb_version) break;
            return Json{std::string(binary.substr(1))};
        case Form::nothing:
            return Null{};
    }
    throw std::logic_error(fmt::format("query {}: column {} is not a well-formed {}", place.query,
                                       place.number, known->name));
}

void refuse_bad_text(const Value& value, Place place) {
    std::string_view text;
    if (const auto* string = std::get_if<std::string>(&value.variant())) text = *string;
    if (const auto* json = std::get_if<Json>(&value.variant())) text = json->text;
    if (is_utf8_without_nul(text)) return;
    throw Failure(Fault::bad_data, "22021",
                  fmt::format("query {}: parameter ${} holds NUL or is not UTF-8", place.query,
                              place.number));
}

}  // namespace trackops::sql::postgres
