// Reading foreign JSON: parse whole, then take fields out one by one while every fault is gathered
// with its pointer.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"

namespace trackops::json {

enum class Kind : std::uint8_t { object, array, text, integer, number, boolean, null };

// A view into a Document, cheap to copy, valid while the document lives.
class Value {
public:
    Kind kind() const;  // integer: written without fraction or exponent and within 64 bits; number:
                        // every other
    std::optional<std::string_view> text() const;
    // Of integers that fit 64 bits and of numbers with no fraction within +-2^53 ("217.0" is an
    // integer, as JSON Schema says).
    std::optional<std::int64_t> integer() const;
    std::optional<bool> boolean() const;
    std::optional<double> number() const;  // any number
    bool is_null() const { return kind() == Kind::null; }
    std::size_t size() const;                                // members or elements; 0 for the rest
    std::optional<Value> find(std::string_view name) const;  // a member of an object
    void each_member(const std::function<void(std::string_view, Value)>& visit) const;
    void each_element(const std::function<void(std::size_t, Value)>& visit) const;
    std::string minified() const;  // the value as JSON text

private:
    friend class Document;
    Value(const void* document, std::size_t index) : document_(document), index_(index) {}
    const void* document_;
    std::size_t index_;
};

struct Limits {
    std::size_t depth_max = 32;
};

class Document {
public:
    // Errc::malformed for what is no JSON (RFC 8259), not UTF-8, has anything after the value,
    // names one member of an object twice, or holds a number no double can hold; Errc::invalid for
    // what nests deeper than depth_max. The text is not needed afterwards.
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

struct TextRule {
    std::size_t min_bytes = 1;
    std::size_t max_bytes = 255;
    bool (*is_valid)(std::string_view) = nullptr;  // e.g. is_sku
    const char* expected =
        nullptr;  // what the fault says when is_valid refuses, e.g. "must be an ISO 4217 code"
};
struct IntegerRule {
    std::int64_t min = 0;
    std::int64_t max = INT64_MAX;
};

// No more faults than this are gathered for one request: an answer stays small whatever the body.
inline constexpr std::size_t faults_max = 256;

// Takes the members of one object. A required member that is missing, a wrong type, a broken rule
// adds a fault (codes: required, type, length, range, format, unknown) and yields an empty value;
// finish() adds one for each member that nobody asked for. A member given as null counts as absent.
// Control characters below U+0020 and U+007F in text are refused (code format).
class ObjectReader {
public:
    // pointer: where the object stands ("" for the body). A value that is no object is one fault,
    // and all fields read as absent. No value (an object() that was absent or at fault already)
    // reads as absent fields with no fault at all, required ones included.
    ObjectReader(std::optional<Value> value, std::string pointer, std::vector<FieldError>& faults);
    std::string text(std::string_view name, TextRule rule);
    std::optional<std::string> maybe_text(std::string_view name, TextRule rule);
    std::int64_t integer(std::string_view name, IntegerRule rule);
    std::optional<std::int64_t> maybe_integer(std::string_view name, IntegerRule rule);
    std::optional<bool> maybe_boolean(std::string_view name);
    std::optional<Uuid> maybe_uuid(std::string_view name);
    Uuid uuid(std::string_view name);  // the nil UUID where it is missing or wrong
    // A member object, for an ObjectReader of its own.
    std::optional<Value> object(std::string_view name, bool required);
    // Visits each element with its pointer. Faults when missing (if required), no array, or the
    // size is out of [min, max].
    void array(std::string_view name, bool required, std::size_t min, std::size_t max,
               const std::function<void(Value, const std::string& pointer)>& visit);
    std::optional<Value> any(std::string_view name);  // marks it as known; a null is a value here
    bool has(std::string_view name) const;            // present and not null
    void fault(std::string_view name, std::string detail, std::string code);  // at <pointer>/<name>
    std::string pointer_to(std::string_view name) const;                      // RFC 6901 escaped
    void finish();

private:
    std::optional<Value> take(std::string_view name, bool required);
    std::optional<std::string> checked(std::string_view name, Value value, const TextRule& rule);
    std::optional<std::int64_t> checked(std::string_view name, Value value,
                                        const IntegerRule& rule);
    std::optional<Uuid> checked_uuid(std::string_view name, Value value);
    std::optional<Value> value_;  // an object, or nothing
    std::string pointer_;
    std::vector<FieldError>& faults_;
    std::vector<std::string_view> asked_;
};

}  // namespace trackops::json
