#include "platform/json/reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <simdjson.h>

#include "platform/json/writer.hpp"

namespace trackops::json {
namespace {

using simdjson::internal::tape_ref;
using simdjson::internal::tape_type;

constexpr double exact_max = 9'007'199'254'740'992.0;  // 2^53
constexpr std::size_t kept_parser_bytes_max = 64 * 1024;
constexpr std::size_t few_members = 16;

tape_ref at(const void* document, std::size_t index) {
    return {static_cast<const simdjson::dom::document*>(document), index};
}

// Calls visit(value) for each element of an array, visit(name) and visit(value) by turns for an
// object; false from it stops.
template <class Visit>
void each_entry(tape_ref container, Visit visit) {
    const std::size_t end = container.after_element() - 1;
    tape_ref entry(container.doc, container.json_index + 1);
    while (entry.json_index < end) {
        if (!visit(entry)) return;
        entry.json_index = entry.after_element();
    }
}

bool is_container(tape_ref value) {
    return value.tape_ref_type() == tape_type::START_OBJECT ||
           value.tape_ref_type() == tape_type::START_ARRAY;
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

// What simdjson does not ask: an object names no member twice, and an empty container counts as a
// level too.
Result<void> check(tape_ref container, std::size_t levels_left) {
    if (levels_left == 0) return fail(Errc::invalid, "the JSON nests too deep");
    const bool is_object = container.tape_ref_type() == tape_type::START_OBJECT;
    std::vector<std::string_view> names;
    if (is_object) names.reserve(container.scope_count());
    bool is_name = is_object;
    Result<void> checked;
    each_entry(container, [&](tape_ref entry) {
        if (is_name) {
            names.push_back(entry.get_string_view());
        } else if (is_container(entry)) {
            checked = check(entry, levels_left - 1);
        }
        is_name = is_object && !is_name;
        return checked.has_value();
    });
    if (checked && repeats(names))
        return fail(Errc::malformed, "the JSON names a member of an object twice");
    return checked;
}

bool is_big_integer(std::string_view token) {
    std::int64_t small = 0;
    std::uint64_t large = 0;
    const auto fits = [&](auto& number) {
        return std::from_chars(token.data(), token.data() + token.size(), number).ec == std::errc();
    };
    return token.find_first_of(".eE") == std::string_view::npos && !fits(small) && !fits(large);
}

// simdjson refuses integers beyond 64 bits; with an exponent they are numbers to it.
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

// One parser a thread serves what is usual; its buffers stay as large as the largest text, so a
// larger one gets its own.
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

void write(tape_ref value, Writer& writer) {
    switch (value.tape_ref_type()) {
        case tape_type::START_OBJECT: {
            writer.begin_object();
            bool is_name = true;
            each_entry(value, [&](tape_ref entry) {
                if (is_name) {
                    writer.name(entry.get_string_view());
                } else {
                    write(entry, writer);
                }
                is_name = !is_name;
                return true;
            });
            writer.end_object();
            break;
        }
        case tape_type::START_ARRAY:
            writer.begin_array();
            each_entry(value, [&](tape_ref entry) {
                write(entry, writer);
                return true;
            });
            writer.end_array();
            break;
        case tape_type::STRING:
            writer.value(value.get_string_view());
            break;
        case tape_type::INT64:
            writer.value(value.next_tape_value<std::int64_t>());
            break;
        case tape_type::UINT64:
            writer.value(value.next_tape_value<std::uint64_t>());
            break;
        case tape_type::DOUBLE:
            // Plus zero makes -0 a 0, which an integer of that text reads as.
            writer.decimal(value.next_tape_value<double>() + 0.0);
            break;
        case tape_type::TRUE_VALUE:
            writer.value(true);
            break;
        case tape_type::FALSE_VALUE:
            writer.value(false);
            break;
        default:
            writer.null();
            break;
    }
}

}  // namespace

struct Document::State {
    simdjson::dom::document document;
};

Document::Document(std::unique_ptr<State> state) : state_(std::move(state)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, Limits limits) {
    if (text.empty()) text = "";  // simdjson copies from it, also nothing
    auto state = std::make_unique<State>();
    auto error = parse_into(state->document, text, limits.depth_max);
    if (error == simdjson::NUMBER_ERROR)
        error = parse_into(state->document, with_exponents(text), limits.depth_max);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error == simdjson::DEPTH_ERROR) return fail(Errc::invalid, "the JSON nests too deep");
    if (error != simdjson::SUCCESS)
        return fail(Errc::malformed, fmt::format("the JSON {}", why(error)));
    const tape_ref root(&state->document, 1);
    if (is_container(root)) TRY(check(root, limits.depth_max));
    return Document(std::move(state));
}

Value Document::root() const { return {&state_->document, 1}; }

Kind Value::kind() const {
    switch (at(document_, index_).tape_ref_type()) {
        case tape_type::START_OBJECT:
            return Kind::object;
        case tape_type::START_ARRAY:
            return Kind::array;
        case tape_type::STRING:
            return Kind::text;
        case tape_type::INT64:
            return Kind::integer;
        case tape_type::UINT64:  // only what int64 cannot hold
        case tape_type::DOUBLE:
            return Kind::number;
        case tape_type::TRUE_VALUE:
        case tape_type::FALSE_VALUE:
            return Kind::boolean;
        default:
            return Kind::null;
    }
}

std::optional<std::string_view> Value::text() const {
    if (kind() != Kind::text) return std::nullopt;
    return at(document_, index_).get_string_view();
}

std::optional<std::int64_t> Value::integer() const {
    const tape_ref here = at(document_, index_);
    if (here.is_int64()) return here.next_tape_value<std::int64_t>();
    if (!here.is_double()) return std::nullopt;
    const auto number = here.next_tape_value<double>();
    if (std::abs(number) > exact_max || std::trunc(number) != number) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

std::optional<bool> Value::boolean() const {
    if (kind() != Kind::boolean) return std::nullopt;
    return at(document_, index_).is_true();
}

std::optional<double> Value::number() const {
    const tape_ref here = at(document_, index_);
    switch (here.tape_ref_type()) {
        case tape_type::INT64:
            return static_cast<double>(here.next_tape_value<std::int64_t>());
        case tape_type::UINT64:
            return static_cast<double>(here.next_tape_value<std::uint64_t>());
        case tape_type::DOUBLE:
            return here.next_tape_value<double>();
        default:
            return std::nullopt;
    }
}

std::size_t Value::size() const {
    const tape_ref here = at(document_, index_);
    if (!is_container(here)) return 0;
    if (here.scope_count() < simdjson::internal::JSON_COUNT_MASK) return here.scope_count();
    std::size_t entries = 0;  // the tape counts no further
    each_entry(here, [&](tape_ref) { return ++entries > 0; });
    return kind() == Kind::object ? entries / 2 : entries;
}

std::optional<Value> Value::find(std::string_view name) const {
    const tape_ref here = at(document_, index_);
    if (here.tape_ref_type() != tape_type::START_OBJECT) return std::nullopt;
    std::optional<Value> found;
    bool is_name = true;
    bool is_it = false;
    each_entry(here, [&](tape_ref entry) {
        if (is_name) {
            is_it = entry.get_string_view() == name;
        } else if (is_it) {
            found = Value(document_, entry.json_index);
        }
        is_name = !is_name;
        return !found;
    });
    return found;
}

void Value::each_member(const std::function<void(std::string_view, Value)>& visit) const {
    const tape_ref here = at(document_, index_);
    if (here.tape_ref_type() != tape_type::START_OBJECT) return;
    std::string_view name;
    bool is_name = true;
    each_entry(here, [&](tape_ref entry) {
        if (is_name) {
            name = entry.get_string_view();
        } else {
            visit(name, Value(document_, entry.json_index));
        }
        is_name = !is_name;
        return true;
    });
}

void Value::each_element(const std::function<void(std::size_t, Value)>& visit) const {
    const tape_ref here = at(document_, index_);
    if (here.tape_ref_type() != tape_type::START_ARRAY) return;
    std::size_t position = 0;
    each_entry(here, [&](tape_ref entry) {
        visit(position++, Value(document_, entry.json_index));
        return true;
    });
}

std::string Value::minified() const {
    std::string out;
    Writer writer(out);
    write(at(document_, index_), writer);
    return out;
}

}  // namespace trackops::json
