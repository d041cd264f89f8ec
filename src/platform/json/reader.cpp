#include "platform/json/reader.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <simdjson.h>

#include "platform/json/fault_place.hpp"
#include "platform/json/number_text.hpp"
#include "platform/json/writer.hpp"

namespace trackops::json {
namespace {

using simdjson::dom::element_type;
using Node = simdjson::dom::element;

constexpr double exact_max = 9'007'199'254'740'992.0;  // 2^53
constexpr std::size_t kept_parser_bytes_max = 64 * 1024;
constexpr std::size_t few_members = 16;
constexpr std::size_t shown_name_bytes_max = 64;

// The caller has checked the node's type, so the error cannot happen.
template <class T>
T take(const Node& node) {
    return node.get<T>().value_unsafe();
}

bool is_container(const Node& value) {
    return value.type() == element_type::OBJECT || value.type() == element_type::ARRAY;
}

// Returns a name that occurs twice. Changes the order of the names.
std::optional<std::string_view> repeated(std::vector<std::string_view>& names) {
    if (names.size() <= few_members) {
        for (std::size_t i = 1; i < names.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (names[i] == names[j]) return names[i];
            }
        }
        return std::nullopt;
    }
    std::ranges::sort(names);
    const auto found = std::ranges::adjacent_find(names);
    if (found == names.end()) return std::nullopt;
    return *found;
}

std::string repeated_detail(std::string_view name) {
    if (name.empty() || name.size() > shown_name_bytes_max)
        return "the JSON names a member of an object twice";
    return fmt::format("the JSON names the member '{}' of an object twice", name);
}

Result<void> check(const Node& container, std::size_t levels_left);

Result<void> check_inner(const Node& value, std::size_t levels_left) {
    return is_container(value) ? check(value, levels_left) : Result<void>();
}

// simdjson does not check that the member names of an object differ, and does not count an empty
// container as a level.
Result<void> check(const Node& container, std::size_t levels_left) {
    if (levels_left == 0) return fail(Errc::invalid, "the JSON nests too deep");
    if (container.type() == element_type::ARRAY) {
        for (const Node element : take<simdjson::dom::array>(container))
            TRY(check_inner(element, levels_left - 1));
        return {};
    }
    const auto object = take<simdjson::dom::object>(container);
    std::vector<std::string_view> names;
    names.reserve(object.size());
    for (const auto& [name, value] : object) {
        names.push_back(name);
        TRY(check_inner(value, levels_left - 1));
    }
    if (const auto name = repeated(names)) return fail(Errc::malformed, repeated_detail(*name));
    return {};
}

bool is_big_integer(std::string_view token) {
    std::int64_t small = 0;
    std::uint64_t large = 0;
    const auto fits = [&](auto& number) {
        return std::from_chars(token.data(), token.data() + token.size(), number).ec == std::errc();
    };
    return token.find_first_of(".eE") == std::string_view::npos && !fits(small) && !fits(large);
}

// simdjson refuses integers beyond 64 bits. With an exponent it reads them as doubles.
std::string with_exponents(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    const char* copied = text.data();
    each_number(text, [&](std::string_view number) {
        if (number.size() <= 18 || !is_big_integer(number)) return;
        const char* const end = number.data() + number.size();
        out.append(copied, end);
        out += "e0";
        copied = end;
    });
    out.append(copied, text.data() + text.size());
    return out;
}

simdjson::error_code parse_with(simdjson::dom::parser& parser, std::string_view text,
                                std::size_t depth_max, simdjson::dom::document& document) {
    const std::size_t levels = depth_max + 1;  // simdjson counts the value itself
    if (parser.max_depth() != levels) {
        const auto allocated = parser.allocate(std::max<std::size_t>(text.size(), 4096), levels);
        if (allocated != simdjson::SUCCESS) return allocated;
    }
    return parser.parse_into_document(document, text.data(), text.size()).error();
}

// Each thread reuses one parser for texts of usual size. A parser's buffers stay as large as its
// largest text, so a larger text gets its own parser.
simdjson::error_code parse_into(simdjson::dom::document& document, std::string_view text,
                                std::size_t depth_max) {
    if (text.size() <= kept_parser_bytes_max) {
        thread_local simdjson::dom::parser kept;
        return parse_with(kept, text, depth_max, document);
    }
    simdjson::dom::parser parser;
    return parse_with(parser, text, depth_max, document);
}

std::string malformed_detail(simdjson::error_code code, std::string_view text) {
    if (code == simdjson::EMPTY || text.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return "the JSON is empty";
    const auto fault = find_fault(text);
    if (!fault) return "the JSON is not well-formed";
    return fmt::format("the JSON is not well-formed at {}: {}", place_in_words(text, fault->offset),
                       fault->detail);
}

// Value holds its node as an array of bytes.
using Opaque = std::array<std::uintptr_t, 2>;
static_assert(sizeof(Node) == sizeof(Opaque) && std::is_trivially_copyable_v<Node>);
Opaque opaque(const Node& node) { return std::bit_cast<Opaque>(node); }
Node node(const Opaque& element) { return std::bit_cast<Node>(element); }
std::size_t tape_index(const Node& node) { return opaque(node)[1]; }

}  // namespace

// The texts of the numbers that simdjson has read as doubles, by their index on its tape.
struct NumberTexts {
    std::vector<std::pair<std::size_t, std::string>> texts;  // sorted

    // Takes the texts from the source of the document. Returns Errc::malformed if a number other
    // than 0 became 0.
    Result<void> take(const simdjson::dom::document& document, std::string_view text) {
        std::vector<std::pair<std::size_t, char>> numbers;  // with their tape type
        const std::uint64_t* const tape = document.tape.get();
        const std::uint64_t end = tape[0] & 0x00FF'FFFF'FFFF'FFFFU;
        bool has_double = false;
        for (std::size_t i = 1; i < end; ++i) {
            const auto type = static_cast<char>(tape[i] >> 56);
            if (type != 'l' && type != 'u' && type != 'd') continue;
            numbers.emplace_back(i++, type);  // the number itself stands behind its type
            has_double = has_double || type == 'd';
        }
        if (!has_double) return {};
        auto number = numbers.begin();
        bool has_vanished = false;
        each_number(text, [&](std::string_view written) {
            const auto [index, type] = *number++;
            if (type != 'd') return;
            const bool is_zero = canonical_number(written) == "0";
            has_vanished =
                has_vanished || (std::bit_cast<double>(tape[index + 1]) == 0 && !is_zero);
            texts.emplace_back(index, written);
        });
        if (has_vanished)
            return fail(Errc::malformed, malformed_detail(simdjson::NUMBER_ERROR, text));
        return {};
    }

    std::string_view find(const Node& value) const {
        return std::ranges::lower_bound(texts, tape_index(value), {},
                                        &std::pair<std::size_t, std::string>::first)
            ->second;
    }
};

namespace {

// Writes a value as JSON text.
class ValueWriter {
public:
    ValueWriter(std::string& out, const NumberTexts& numbers, bool is_canonical,
                std::size_t bytes_max)
        : out_(out),
          writer_(out),
          numbers_(numbers),
          is_canonical_(is_canonical),
          bytes_max_(bytes_max) {}

    void write(const Node& value) {
        if (out_.size() > bytes_max_) return;
        switch (value.type()) {
            case element_type::OBJECT:
                return write_object(take<simdjson::dom::object>(value));
            case element_type::ARRAY:
                writer_.begin_array();
                for (const Node element : take<simdjson::dom::array>(value)) write(element);
                writer_.end_array();
                return;
            case element_type::STRING:
                writer_.value(take<std::string_view>(value));
                return;
            case element_type::INT64:
                return write_integer(take<std::int64_t>(value));
            case element_type::UINT64:
                return write_number(fmt::to_string(take<std::uint64_t>(value)));
            case element_type::DOUBLE:
                return write_number(numbers_.find(value));
            case element_type::BOOL:
                writer_.value(take<bool>(value));
                return;
            case element_type::NULL_VALUE:
                writer_.null();
                return;
        }
    }

private:
    // The same text as write_number() gives, without a string for the number.
    void write_integer(std::int64_t number) {
        if (!is_canonical_ || number == 0) {
            writer_.value(number);
            return;
        }
        int zeros = 0;
        for (; number % 10 == 0; ++zeros) number /= 10;
        std::array<char, 32> text{};
        const auto end = fmt::format_to_n(text.data(), text.size(), "{}e{}", number, zeros);
        writer_.raw({text.data(), end.size});
    }

    void write_number(std::string_view number) {
        writer_.raw(is_canonical_ ? canonical_number(number) : without_exponent(number));
    }

    void write_object(simdjson::dom::object object) {
        std::vector<std::pair<std::string_view, Node>> members;
        members.reserve(object.size());
        for (const auto& [name, member] : object) members.emplace_back(name, member);
        if (is_canonical_)
            std::ranges::sort(members, {}, &std::pair<std::string_view, Node>::first);
        writer_.begin_object();
        for (const auto& [name, member] : members) {
            writer_.name(name);
            write(member);
        }
        writer_.end_object();
    }

    std::string& out_;
    Writer writer_;
    const NumberTexts& numbers_;
    bool is_canonical_;
    std::size_t bytes_max_;
};

}  // namespace

struct Document::State {
    simdjson::dom::document document;
    NumberTexts numbers;
};

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, Limits limits) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    if (text.empty()) text = "";  // simdjson copies from the pointer even for an empty text
    auto state = std::make_unique<State>();
    auto error = parse_into(state->document, text, limits.depth_max);
    // simdjson 3.0 calls a big integer NUMBER_ERROR, simdjson 3.12 BIGINT_ERROR, which 3.0 does not
    // know.
    if (error != simdjson::SUCCESS && error != simdjson::MEMALLOC) {
        const std::string changed = with_exponents(text);
        if (changed.size() != text.size())
            error = parse_into(state->document, changed, limits.depth_max);
    }
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error == simdjson::DEPTH_ERROR) return fail(Errc::invalid, "the JSON nests too deep");
    if (error != simdjson::SUCCESS) return fail(Errc::malformed, malformed_detail(error, text));
    TRY(state->numbers.take(state->document, text));
    if (const Node root = state->document.root(); is_container(root))
        TRY(check(root, limits.depth_max));
    return Document(std::move(state));
}

Value Document::root() const { return {opaque(state_->document.root()), state_->numbers}; }

Kind Value::kind() const {
    switch (node(element_).type()) {
        case element_type::OBJECT:
            return Kind::object;
        case element_type::ARRAY:
            return Kind::array;
        case element_type::STRING:
            return Kind::text;
        case element_type::INT64:
            return Kind::integer;
        case element_type::UINT64:  // only for values above the int64 range
        case element_type::DOUBLE:
            return Kind::number;
        case element_type::BOOL:
            return Kind::boolean;
        case element_type::NULL_VALUE:
            break;
    }
    return Kind::null;
}

std::optional<std::string_view> Value::text() const {
    if (kind() != Kind::text) return std::nullopt;
    return take<std::string_view>(node(element_));
}

std::optional<std::int64_t> Value::integer() const {
    const Node here = node(element_);
    if (here.type() == element_type::INT64) return take<std::int64_t>(here);
    if (here.type() != element_type::DOUBLE) return std::nullopt;
    const auto number = take<double>(here);
    if (std::abs(number) > exact_max || std::trunc(number) != number) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

std::optional<bool> Value::boolean() const {
    if (kind() != Kind::boolean) return std::nullopt;
    return take<bool>(node(element_));
}

std::optional<double> Value::number() const {
    const Node here = node(element_);
    switch (here.type()) {
        case element_type::INT64:
            return static_cast<double>(take<std::int64_t>(here));
        case element_type::UINT64:
            return static_cast<double>(take<std::uint64_t>(here));
        case element_type::DOUBLE:
            return take<double>(here);
        default:
            return std::nullopt;
    }
}

std::size_t Value::size() const {
    constexpr std::size_t counted_max = 0xFFFFFF;  // simdjson's size() stops counting here
    const Node here = node(element_);
    std::size_t entries = 0;
    if (here.type() == element_type::OBJECT) {
        const auto object = take<simdjson::dom::object>(here);
        if (object.size() < counted_max) return object.size();
        for (const auto& entry : object) entries += entry.key.data() != nullptr;
    } else if (here.type() == element_type::ARRAY) {
        const auto array = take<simdjson::dom::array>(here);
        if (array.size() < counted_max) return array.size();
        for (auto element = array.begin(); element != array.end(); ++element) ++entries;
    }
    return entries;
}

std::optional<Value> Value::find(std::string_view name) const {
    const Node here = node(element_);
    if (here.type() != element_type::OBJECT) return std::nullopt;
    for (const auto& member : take<simdjson::dom::object>(here)) {
        if (member.key == name) return Value(opaque(member.value), *numbers_);
    }
    return std::nullopt;
}

std::string_view Value::text_of(std::string_view name) const {
    const auto member = find(name);
    return member ? member->text().value_or("") : "";
}

void Value::each_member(const std::function<void(std::string_view, Value)>& visit) const {
    const Node here = node(element_);
    if (here.type() != element_type::OBJECT) return;
    for (const auto& [name, value] : take<simdjson::dom::object>(here))
        visit(name, Value(opaque(value), *numbers_));
}

void Value::each_element(const std::function<void(std::size_t, Value)>& visit) const {
    const Node here = node(element_);
    if (here.type() != element_type::ARRAY) return;
    std::size_t position = 0;
    for (const Node element : take<simdjson::dom::array>(here))
        visit(position++, Value(opaque(element), *numbers_));
}

std::string Value::minified(std::size_t bytes_max) const {
    std::string out;
    ValueWriter(out, *numbers_, false, bytes_max).write(node(element_));
    return out;
}

std::string Value::canonical() const {
    constexpr std::size_t usual_bytes = 1024;
    std::string out;
    out.reserve(usual_bytes);
    ValueWriter(out, *numbers_, true, SIZE_MAX).write(node(element_));
    return out;
}

}  // namespace trackops::json
