// Reads the members of a JSON object by name and collects every fault with its JSON pointer.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "platform/json/reader.hpp"

namespace trackops::json {

enum class TextForm : std::uint8_t {
    word,       // a name of ours or of a standard: taken as it is, control characters are refused
    line,       // for people, in one line: blanks at the ends are cut, control characters refused
    paragraph,  // for people: as a line, but line breaks and tabs within are kept as they are
};

// The limits count Unicode code points, so a text takes four bytes a character at most.
struct TextRule {
    std::size_t min_characters = 1;
    std::size_t max_characters = 255;
    TextForm form = TextForm::word;
    bool (*is_valid)(std::string_view) = nullptr;  // e.g. is_sku
    // The fault's detail when is_valid refuses a text, e.g. "must be an ISO 4217 code".
    const char* expected = nullptr;
};
struct IntegerRule {
    std::int64_t min = 0;
    std::int64_t max = INT64_MAX;
    // Follows "must be an integer" in the detail for a value of another type, e.g. " in pence".
    const char* explanation = "";
};

// The maximum number of faults collected for one request. It keeps the response small whatever the
// body.
inline constexpr std::size_t faults_max = 256;

// Reads the members of one object. A missing required member, a wrong type or a broken rule adds a
// fault (codes: required, type, length, range, format, unknown) and yields an empty value. finish()
// adds a fault for each member that the caller did not read, and names the member that was meant. A
// null member counts as absent, and so does a line or paragraph that is empty or holds only blanks,
// unless it is required. Control characters are those below U+0020, and U+007F.
class ObjectReader {
public:
    // `pointer` is the JSON pointer of the object ("" for the body). A `value` that is not an
    // object adds one fault, and all of its members read as absent. An empty `value` (an object()
    // that was absent or already faulty) adds no faults at all, also for required members; they
    // read as absent.
    ObjectReader(std::optional<Value> value, std::string pointer, std::vector<FieldError>& faults);
    std::string text(std::string_view name, TextRule rule);
    std::optional<std::string> maybe_text(std::string_view name, TextRule rule);
    std::int64_t integer(std::string_view name, IntegerRule rule);
    std::optional<std::int64_t> maybe_integer(std::string_view name, IntegerRule rule);
    Uuid uuid(std::string_view name);  // The nil UUID if the member is missing or malformed.
    // Returns a member object, to be read with its own ObjectReader.
    std::optional<Value> object(std::string_view name, bool required);
    // Calls `visit` with each element and its pointer. Adds a fault if the member is missing (and
    // required), is not an array, or has fewer than `min` or more than `max` elements.
    void array(std::string_view name, bool required, std::size_t min, std::size_t max,
               const std::function<void(Value, const std::string& pointer)>& visit);
    // Marks the member as known; null is returned as a value.
    std::optional<Value> any(std::string_view name);
    bool has(std::string_view name) const;  // true if present and not null
    // True if the member is null, or a text that is empty or holds only blanks.
    bool is_given_as_nothing(std::string_view name);
    void fault(std::string_view name, std::string detail, std::string code);  // at <pointer>/<name>
    std::string pointer_to(std::string_view name) const;  // escaped as RFC 6901 requires
    // Returns a reader of an object inside this one. Its faults go to the same list.
    ObjectReader nested(std::optional<Value> value, std::string pointer);
    void finish();  // adds a fault for each member that was not read

private:
    std::optional<Value> take(std::string_view name, bool required);
    std::optional<std::string> checked(std::string_view name, Value value, const TextRule& rule);
    std::optional<std::int64_t> checked(std::string_view name, Value value,
                                        const IntegerRule& rule);
    std::optional<Value> value_;  // an object, or empty
    std::string pointer_;
    std::vector<FieldError>& faults_;
    std::vector<std::string_view> asked_;
};

// Parses `text` as one object and returns the result of `read` (ObjectReader& -> T). Returns
// Errc::malformed if `text` is not JSON, otherwise Errc::invalid with every fault.
template <class Read>
auto read_object(std::string_view text, Read read)
    -> Result<decltype(read(std::declval<ObjectReader&>()))> {
    const Document document = TRY(Document::parse(text));
    std::vector<FieldError> faults;
    ObjectReader in(document.root(), "", faults);
    auto made = read(in);
    in.finish();
    if (!faults.empty()) return fail(Errc::invalid, "the request is not valid", std::move(faults));
    return made;
}

}  // namespace trackops::json
