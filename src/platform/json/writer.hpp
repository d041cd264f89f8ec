// Appends JSON text to a string. It builds no tree and allocates only in that string.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "base/uuid.hpp"

namespace trackops::json {

// Puts the commas and escapes names and values. The caller is responsible for the structure
// (matching brackets, a name before each value of an object). Text must be UTF-8.
class Writer {
public:
    explicit Writer(std::string& out) : out_(out), start_(out.size()) {}
    Writer& begin_object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& begin_array() { return open('['); }
    Writer& end_array() { return close(']'); }
    Writer& name(std::string_view name);  // inside an object, before its value
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(const std::string& text) { return value(std::string_view(text)); }
    Writer& value(std::int64_t number);
    Writer& value(std::uint64_t number);
    Writer& value(int number) { return value(std::int64_t{number}); }
    Writer& value(unsigned number) { return value(std::uint64_t{number}); }
    Writer& value(bool truth);
    Writer& value(const Uuid& id);
    Writer& value(Instant at);
    Writer& decimal(double number);  // for rates and shares; writes null for NaN and infinity
    Writer& null();
    Writer& raw(std::string_view json);  // appends a complete JSON value as it is
    template <class T>
    Writer& member(std::string_view member_name, const T& member_value) {
        return name(member_name).value(member_value);
    }

private:
    Writer& open(char bracket);
    Writer& close(char bracket);
    void separate();
    std::string& out_;
    std::size_t start_;  // earlier content of out_ is not part of this document
};

}  // namespace trackops::json
