#include "platform/json/reader.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <simdjson.h>

#include "platform/json/writer.hpp"

namespace trackops::json {
namespace {

using simdjson::dom::element_type;
using Node = simdjson::dom::element;

constexpr double exact_max = 9'007'199'254'740'992.0;  // 2^53
constexpr std::size_t kept_parser_bytes_max = 64 * 1024;
constexpr std::size_t few_members = 16;

// The caller has checked the node's type, so the error cannot happen.
template <class T>
T take(const Node& node) {
    return node.get<T>().value_unsafe();
}

bool is_container(const Node& value) {
    return value.type() == element_type::OBJECT || value.type() == element_type::ARRAY;
}

bool repeats(std::vector<std::string_view>& names) {
    if (names.size() <= few_members) {
        for (std::size_t i = 1; i < names.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (names[i] == names[j]) return true;
            }
        }
        return false;
    }
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) != names.end();
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
    if (repeats(names)) return fail(Errc::malformed, "the JSON names a member of an object twice");
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
    bool in_text = false;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t length = 1;
        if (in_text && text[i] == '\\') {
            length = std::min<std::size_t>(2, text.size() - i);
        } else if (text[i] == '"') {
            in_text = !in_text;
        } else if (!in_text && (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'))) {
            length = std::min(text.find_first_not_of("+-0123456789.eE", i), text.size()) - i;
        }
        const std::string_view token = text.substr(i, length);
        out += token;
        if (length > 18 && is_big_integer(token)) out += "e0";
        i += length;
    }
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

std::string_view why(simdjson::error_code code) {
    switch (code) {
        case simdjson::EMPTY:
            return "is empty";
        case simdjson::UTF8_ERROR:
            return "is not UTF-8";
        case simdjson::NUMBER_ERROR:
            return "holds a number that JSON does not allow or that is too large";
        case simdjson::STRING_ERROR:
        case simdjson::UNCLOSED_STRING:
        case simdjson::UNESCAPED_CHARS:
            return "holds a string that JSON does not allow";
        default:
            return "is not well-formed";
    }
}

void write(const Node& value, Writer& writer) {
    switch (value.type()) {
        case element_type::OBJECT:
            writer.begin_object();
            for (const auto& [name, member] : take<simdjson::dom::object>(value)) {
                writer.name(name);
                write(member, writer);
            }
            writer.end_object();
            break;
        case element_type::ARRAY:
            writer.begin_array();
            for (const Node element : take<simdjson::dom::array>(value)) write(element, writer);
            writer.end_array();
            break;
        case element_type::STRING:
            writer.value(take<std::string_view>(value));
            break;
        case element_type::INT64:
            writer.value(take<std::int64_t>(value));
            break;
        case element_type::UINT64:
            writer.value(take<std::uint64_t>(value));
            break;
        case element_type::DOUBLE:
            // Adding zero turns -0 into 0, as integer() reads it.
            writer.decimal(take<double>(value) + 0.0);
            break;
        case element_type::BOOL:
            writer.value(take<bool>(value));
            break;
        case element_type::NULL_VALUE:
            writer.null();
            break;
    }
}

// Value holds its node as an array of bytes.
using Opaque = std::array<std::uintptr_t, 2>;
static_assert(sizeof(Node) == sizeof(Opaque) && std::is_trivially_copyable_v<Node>);
Opaque opaque(const Node& node) { return std::bit_cast<Opaque>(node); }
Node node(const Opaque& element) { return std::bit_cast<Node>(element); }

}  // namespace

struct Document::State {
    simdjson::dom::document document;
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
    if (error != simdjson::SUCCESS)
        return fail(Errc::malformed, fmt::format("the JSON {}", why(error)));
    if (const Node root = state->document.root(); is_container(root))
        TRY(check(root, limits.depth_max));
    return Document(std::move(state));
}

Value Document::root() const { return Value(opaque(state_->document.root())); }

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
        if (member.key == name) return Value(opaque(member.value));
    }
    return std::nullopt;
}

void Value::each_member(const std::function<void(std::string_view, Value)>& visit) const {
    const Node here = node(element_);
    if (here.type() != element_type::OBJECT) return;
    for (const auto& [name, value] : take<simdjson::dom::object>(here))
        visit(name, Value(opaque(value)));
}

void Value::each_element(const std::function<void(std::size_t, Value)>& visit) const {
    const Node here = node(element_);
    if (here.type() != element_type::ARRAY) return;
    std::size_t position = 0;
    for (const Node element : take<simdjson::dom::array>(here))
        visit(position++, Value(opaque(element)));
}

std::string Value::minified() const {
    std::string out;
    Writer writer(out);
    write(node(element_), writer);
    return out;
}

}  // namespace trackops::json
