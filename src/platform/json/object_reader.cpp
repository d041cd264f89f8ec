#include "platform/json/object_reader.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/nearest.hpp"
#include "base/text.hpp"

namespace trackops::json {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_layout(char c) { return c == '\n' || c == '\r' || c == '\t'; }

bool is_refused(char c, TextForm form) {
    return is_control(c) && (form != TextForm::paragraph || !is_layout(c));
}

// Each name once, in the order in which they were asked for.
std::vector<std::string_view> distinct(std::span<const std::string_view> names) {
    std::vector<std::string_view> once;
    for (const std::string_view name : names) {
        if (std::ranges::find(once, name) == once.end()) once.push_back(name);
    }
    return once;
}

std::string control_fault(std::string_view text, TextForm form) {
    if (form == TextForm::paragraph)
        return "must not contain control characters other than line breaks and tabs";
    const bool is_only_layout =
        std::ranges::none_of(text, [](char c) { return is_control(c) && !is_layout(c); });
    return form == TextForm::line && is_only_layout
               ? "must be one line, without line breaks and tabs"
               : "must not contain control characters";
}

std::string length_fault(const TextRule& rule, std::size_t length) {
    if (rule.min_characters == 0)
        return fmt::format("must have at most {} characters, and has {}", rule.max_characters,
                           length);
    return fmt::format("must have between {} and {} characters, and has {}", rule.min_characters,
                       rule.max_characters, length);
}

std::string range_fault(const IntegerRule& rule) {
    if (rule.max == INT64_MAX) return fmt::format("must be at least {}", rule.min);
    if (rule.min == INT64_MIN) return fmt::format("must be at most {}", rule.max);
    return fmt::format("must be between {} and {}", rule.min, rule.max);
}

bool is_whole(Value value) {
    const auto number = value.number();
    return number && std::trunc(*number) == *number;
}

}  // namespace

ObjectReader::ObjectReader(std::optional<Value> value, std::string pointer,
                           std::vector<FieldError>& faults)
    : value_(value), pointer_(std::move(pointer)), faults_(faults) {
    if (!value_ || value_->kind() == Kind::object) {
        asked_.reserve(12);
        return;
    }
    value_.reset();
    if (faults_.size() < faults_max) faults_.push_back({pointer_, "must be an object", "type"});
}

std::string ObjectReader::pointer_to(std::string_view name) const {
    std::string out = pointer_;
    out += '/';
    for (const char c : name) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

void ObjectReader::fault(std::string_view name, std::string detail, std::string code) {
    if (faults_.size() < faults_max)
        faults_.push_back({pointer_to(name), std::move(detail), std::move(code)});
}

std::optional<Value> ObjectReader::any(std::string_view name) {
    if (!value_) return std::nullopt;
    asked_.push_back(name);
    return value_->find(name);
}

bool ObjectReader::has(std::string_view name) const {
    if (!value_) return false;
    const auto member = value_->find(name);
    return member && !member->is_null();
}

bool ObjectReader::is_given_as_nothing(std::string_view name) {
    const auto value = any(name);
    if (!value) return false;
    const auto text = value->text();
    return value->is_null() || (text && trimmed(*text).empty());
}

std::optional<Value> ObjectReader::take(std::string_view name, bool required) {
    auto member = any(name);
    if (member && member->is_null()) member.reset();
    if (!member && required && value_) fault(name, "is required", "required");
    return member;
}

std::optional<std::string> ObjectReader::checked(std::string_view name, Value value,
                                                 const TextRule& rule) {
    const auto given = value.text();
    if (!given) {
        fault(name, "must be a string", "type");
        return std::nullopt;
    }
    const std::string_view text = rule.form == TextForm::word ? *given : trimmed(*given);
    const std::size_t length = characters_in(text);
    if (text.empty() && rule.min_characters > 0) {
        fault(name, "must not be empty", "length");
    } else if (length < rule.min_characters || length > rule.max_characters) {
        fault(name, length_fault(rule, length), "length");
    } else if (std::ranges::any_of(text, [&](char c) { return is_refused(c, rule.form); })) {
        fault(name, control_fault(text, rule.form), "format");
    } else if (rule.is_valid && !rule.is_valid(text)) {
        fault(name, rule.expected ? rule.expected : "does not have the right form", "format");
    } else {
        return std::string(text);
    }
    return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::checked(std::string_view name, Value value,
                                                  const IntegerRule& rule) {
    const auto integer = value.integer();
    if (!integer && !is_whole(value)) {
        fault(name, fmt::format("must be an integer{}", rule.explanation), "type");
    } else if (!integer || *integer < rule.min || *integer > rule.max) {
        fault(name, range_fault(rule), "range");
    } else {
        return integer;
    }
    return std::nullopt;
}

std::string ObjectReader::text(std::string_view name, TextRule rule) {
    const auto value = take(name, true);
    if (!value) return {};
    return checked(name, *value, rule).value_or("");
}

std::optional<std::string> ObjectReader::maybe_text(std::string_view name, TextRule rule) {
    const auto value = take(name, false);
    if (!value || (rule.form != TextForm::word && is_given_as_nothing(name))) return std::nullopt;
    return checked(name, *value, rule);
}

std::int64_t ObjectReader::integer(std::string_view name, IntegerRule rule) {
    const auto value = take(name, true);
    if (!value) return 0;
    return checked(name, *value, rule).value_or(0);
}

std::optional<std::int64_t> ObjectReader::maybe_integer(std::string_view name, IntegerRule rule) {
    const auto value = take(name, false);
    if (!value) return std::nullopt;
    return checked(name, *value, rule);
}

Uuid ObjectReader::uuid(std::string_view name) {
    const auto value = take(name, true);
    if (!value) return {};
    const auto text = value->text();
    const auto id = text ? Uuid::parse(*text) : std::nullopt;
    if (!text) {
        fault(name, "must be a string that holds a UUID", "type");
    } else if (!id) {
        fault(name, "must be a UUID, such as 018bcfe5-687b-7abc-8123-456789abcdef", "format");
    }
    return id.value_or(Uuid{});
}

std::optional<Value> ObjectReader::object(std::string_view name, bool required) {
    auto value = take(name, required);
    if (!value || value->kind() == Kind::object) return value;
    fault(name, "must be an object", "type");
    return std::nullopt;
}

void ObjectReader::array(std::string_view name, bool required, std::size_t min, std::size_t max,
                         const std::function<void(Value, const std::string&)>& visit) {
    const auto value = take(name, required);
    if (!value) return;
    if (value->kind() != Kind::array) return fault(name, "must be an array", "type");
    if (value->size() < min || value->size() > max) {
        fault(name, fmt::format("must have between {} and {} elements", min, max), "length");
    }
    if (value->size() > max) return;
    const std::string pointer = pointer_to(name) + '/';
    value->each_element(
        [&](std::size_t index, Value element) { visit(element, pointer + std::to_string(index)); });
}

ObjectReader ObjectReader::nested(std::optional<Value> value, std::string pointer) {
    return {value, std::move(pointer), faults_};
}

void ObjectReader::finish() {
    if (!value_) return;
    bool are_names_told = false;
    value_->each_member([&](std::string_view name, Value) {
        if (faults_.size() == faults_max) return;  // the comparisons could add nothing
        if (std::ranges::find(asked_, name) != asked_.end()) return;
        std::string detail = "is not known here";
        const auto meant = nearest_name(name, asked_);
        if (meant && !value_->find(*meant)) {
            detail += fmt::format("; did you mean {}?", *meant);
        } else if (!asked_.empty() && !std::exchange(are_names_told, true)) {
            detail += "; " + known_names(distinct(asked_));
        }
        fault(name, std::move(detail), "unknown");
    });
}

}  // namespace trackops::json
