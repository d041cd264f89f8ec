// A parsed document of untrusted JSON. ObjectReader takes the members out of it.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"

namespace trackops::json {

struct NumberTexts;

enum class Kind : std::uint8_t { object, array, text, integer, number, boolean, null };

// A view into a Document. It is cheap to copy and valid while the document lives.
class Value {
public:
    // Kind::integer means: written without fraction or exponent, and within 64 bits. Every other
    // number is Kind::number.
    Kind kind() const;
    std::optional<std::string_view> text() const;
    // Returns a value for an integer that fits 64 bits, and for a number without a fractional part
    // within +-2^53 ("217.0" is an integer in JSON Schema).
    std::optional<std::int64_t> integer() const;
    std::optional<bool> boolean() const;
    std::optional<double> number() const;  // of any number
    bool is_null() const { return kind() == Kind::null; }
    std::size_t size() const;  // number of members or elements; 0 for any other kind
    std::optional<Value> find(std::string_view name) const;  // finds a member of an object
    // Returns the text of a member; "" if there is none, or it is no text.
    std::string_view text_of(std::string_view name) const;
    void each_member(const std::function<void(std::string_view, Value)>& visit) const;
    void each_element(const std::function<void(std::size_t, Value)>& visit) const;
    // Returns the value as JSON text without blanks. A number has all of its digits, and no
    // exponent (see without_exponent()). The text ends early once it is longer than `bytes_max`; it
    // is no JSON then.
    std::string minified(std::size_t bytes_max = SIZE_MAX) const;
    // Returns one text for all forms of the value: the members of an object in bytewise order of
    // their names, no blanks, numbers as canonical_number().
    std::string canonical() const;

private:
    friend class Document;
    // A simdjson::dom::element. The array keeps simdjson's header out of this one.
    using Element = std::array<std::uintptr_t, 2>;
    Value(Element element, const NumberTexts& numbers) : element_(element), numbers_(&numbers) {}
    Element element_;
    const NumberTexts* numbers_;  // of the document
};

struct Limits {
    std::size_t depth_max = 32;
};

class Document {
public:
    // Parses one JSON value (RFC 8259); a byte order mark before it is skipped. Returns
    // Errc::malformed if `text` is not JSON or not UTF-8, has anything after the value, repeats a
    // member name within an object, or holds a number that is too large for a double or too close
    // to 0; the detail names line and column of a syntax fault. Returns Errc::invalid for nesting
    // deeper than depth_max. The document keeps no reference to `text`.
    static Result<Document> parse(std::string_view text, Limits limits = {});
    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();
    Value root() const;

private:
    struct State;
    explicit Document(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace trackops::json
