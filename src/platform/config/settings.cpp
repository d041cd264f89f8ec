#include "platform/config/settings.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/nearest.hpp"
#include "platform/config/config_file.hpp"
#include "platform/config/kind.hpp"
#include "platform/config/service_links.hpp"
#include "platform/url/mask.hpp"

namespace trackops::config {
namespace {

constexpr std::string_view environment_prefix = "TRACKOPS_";
constexpr std::string_view test_prefix = "TRACKOPS_TEST_";
constexpr std::string_view opentelemetry_prefix = "OTEL_";
constexpr std::string_view file_suffix = "_FILE";
constexpr std::string_view config_setting = "config";
constexpr std::size_t secret_bytes_max = 65'536;

bool is_setting_name(std::string_view name) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
    return !name.empty() && letter(name[0]) && name.back() != '-' &&
           std::ranges::all_of(name, allowed) && name.find("--") == std::string_view::npos;
}

void check_row(const Setting& row) {
    const auto refuse = [&](std::string_view why) {
        throw std::logic_error(fmt::format("setting \"{}\": {}", row.name, why));
    };
    if (!is_setting_name(row.name))
        refuse("a name is lower case and digits, with single dashes between");
    if (row.min > row.max) refuse("no value is within its bounds");
    if (const auto fault = invalid_reason(row, row.default_value)) refuse("default " + *fault);
}

// Checks that each flag and each variable name belongs to one setting only.
void check_table(std::span<const Setting> table) {
    std::vector<std::string> names;
    for (const Setting& row : table) {
        check_row(row);
        names.emplace_back(row.name);
        if (row.kind == Kind::flag) names.push_back(fmt::format("no-{}", row.name));
        if (row.secret) names.push_back(fmt::format("{}-file", row.name));
    }
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    if (twice != names.end())
        throw std::logic_error(fmt::format("setting \"{}\" is in the table twice", *twice));
}

// Collects the given values and every fault in them.
class SettingsParser {
public:
    explicit SettingsParser(std::span<const Setting> table) : table_(table) {}

    void take_arguments(std::span<const std::string> arguments);
    void take_environment(std::span<const std::string> environment);
    // Takes the file that the setting `config` names. Call it after the two above.
    void take_config_file();
    Result<Values> finish();

private:
    const Setting* find(std::string_view name) const {
        const auto row = std::ranges::find(table_, name, &Setting::name);
        return row == table_.end() ? nullptr : &*row;
    }
    const Setting* find_flag(std::string_view name) const {
        const Setting* row = find(name);
        return row != nullptr && row->kind == Kind::flag ? row : nullptr;
    }
    void fault(std::string pointer, std::string detail) {
        faults_.push_back({std::move(pointer), std::move(detail)});
    }
    void unknown(std::string_view given, const std::vector<std::string>& names);
    void unknown_flag(std::string_view given);
    void unknown_variable(std::string_view given);
    // Stores a value unless the setting already has one.
    bool give(const Setting& row, const Values::SettingValue& given) {
        return given_.values.try_emplace(std::string(row.name), given).second;
    }
    void give_flag(const Setting& row, std::string value);
    void give_file(const Setting& row, const std::string& variable, const std::string& path);
    bool take_variable(std::string_view name, const std::string& value);
    void take_entry(const std::string& pointer, const FileEntry& entry);
    void unknown_entry(const std::string& pointer, std::string_view name);

    std::span<const Setting> table_;
    Values given_;
    std::map<std::string, std::string, std::less<>>
        named_by_;  // from setting to the flag or variable that set it
    std::vector<FieldError> faults_;
};

void SettingsParser::unknown(std::string_view given, const std::vector<std::string>& names) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const auto meant = nearest_name(given, views);
    fault(std::string(given),
          meant ? fmt::format("is unknown; did you mean {}?", *meant) : "is unknown");
}

void SettingsParser::unknown_flag(std::string_view given) {
    std::vector<std::string> names;
    for (const Setting& row : table_) {
        names.push_back(fmt::format("--{}", row.name));
        if (row.kind == Kind::flag) names.push_back(fmt::format("--no-{}", row.name));
    }
    unknown(given, names);
}

void SettingsParser::unknown_variable(std::string_view given) {
    std::vector<std::string> names;
    for (const Setting& row : table_) {
        names.push_back(environment_name(row.name));
        if (row.secret) names.push_back(environment_name(row.name) + std::string(file_suffix));
    }
    unknown(given, names);
}

void SettingsParser::give_flag(const Setting& row, std::string value) {
    const std::string flag = fmt::format("--{}", row.name);
    if (!give(row, {std::move(value), "flag"})) return fault(flag, "is given twice");
    named_by_.emplace(row.name, flag);
}

void SettingsParser::take_arguments(std::span<const std::string> arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (!argument.starts_with("--") || argument.size() == 2) {
            fault(fmt::format("argument {}", i + 1),
                  "belongs to no flag");  // the argument is not shown: it may be a misplaced secret
            continue;
        }
        const std::size_t equals = argument.find('=');
        const std::string_view flag = argument.substr(0, equals);
        const std::string_view name = flag.substr(2);
        const Setting* row = find(name);
        const bool value_follows = equals == std::string_view::npos && i + 1 < arguments.size() &&
                                   !arguments[i + 1].starts_with("--");
        if (equals != std::string_view::npos && row != nullptr) {
            give_flag(*row, std::string(argument.substr(equals + 1)));
        } else if (row != nullptr && row->kind == Kind::flag) {
            give_flag(*row, "true");
        } else if (row != nullptr && value_follows) {
            give_flag(*row, arguments[++i]);
        } else if (row != nullptr) {
            fault(std::string(flag), "needs a value");
        } else if (const Setting* off =
                       name.starts_with("no-") ? find_flag(name.substr(3)) : nullptr;
                   off == nullptr) {
            unknown_flag(flag);
            if (value_follows) ++i;  // it is probably the flag's value, so it is no second fault
        } else if (equals == std::string_view::npos) {
            give_flag(*off, "false");
        } else {
            fault(std::string(flag), "takes no value");
        }
    }
}

void SettingsParser::give_file(const Setting& row, const std::string& variable,
                               const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content(secret_bytes_max + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.eof() && file.gcount() == 0)
        return fault(variable, fmt::format("names a file that cannot be read: {}", path));
    content.resize(static_cast<std::size_t>(file.gcount()));
    if (content.size() > secret_bytes_max)
        return fault(variable, fmt::format("names a file of more than 64 KiB: {}", path));
    if (content.ends_with('\n')) content.pop_back();
    if (content.ends_with('\r')) content.pop_back();
    give(row, {std::move(content), "file"});
    named_by_.emplace(row.name, variable);
}

// Returns true if the table has a setting for this variable.
bool SettingsParser::take_variable(std::string_view name, const std::string& value) {
    for (const Setting& row : table_) {
        const std::string variable = environment_name(row.name);
        const bool is_file = row.secret && name == variable + std::string(file_suffix);
        if (name != variable && !is_file) continue;
        const auto before = named_by_.find(row.name);
        if (before == named_by_.end()) {
            if (is_file) {
                give_file(row, std::string(name), value);
            } else if (give(row, {value, "environment"})) {
                named_by_.emplace(row.name, variable);
            }
        } else if (!before->second.starts_with("--") && before->second != name) {
            fault(std::string(name), fmt::format("is given beside {}", before->second));
        }
        return true;
    }
    return false;
}

void SettingsParser::take_environment(std::span<const std::string> environment) {
    const ServiceLinks links(environment);
    for (const std::string& entry : environment) {
        const std::size_t equals = entry.find('=');
        const std::string_view name = std::string_view(entry).substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : entry.substr(equals + 1);
        if (name.starts_with(opentelemetry_prefix)) {
            if (!value.empty()) (void)take_variable(name, value);
            continue;
        }
        if (!name.starts_with(environment_prefix) || name.starts_with(test_prefix)) continue;
        if (links.contains(name, value)) continue;
        if (!take_variable(name, value)) unknown_variable(name);
    }
}

void SettingsParser::unknown_entry(const std::string& pointer, std::string_view name) {
    std::vector<std::string> names;
    for (const Setting& row : table_) {
        names.emplace_back(row.name);
        if (row.secret) names.push_back(fmt::format("{}-file", row.name));
    }
    const auto meant =
        nearest_name(name, std::vector<std::string_view>(names.begin(), names.end()));
    fault(pointer, meant ? fmt::format("is unknown; did you mean {}?", *meant) : "is unknown");
}

void SettingsParser::take_entry(const std::string& pointer, const FileEntry& entry) {
    constexpr std::string_view file = "-file";
    const std::string_view name = entry.name;
    const Setting* row = find(name);
    const bool is_file = row == nullptr && name.ends_with(file);
    if (is_file) row = find(name.substr(0, name.size() - file.size()));
    if (row == nullptr || (is_file && !row->secret)) return unknown_entry(pointer, name);
    if (name == config_setting) return fault(pointer, "is not read from the file that it names");
    if (!entry.value) return fault(pointer, "is neither text, a whole number, true nor false");
    const auto before = named_by_.find(row->name);
    const std::string_view of_file =
        std::string_view(pointer).substr(0, pointer.size() - name.size());
    if (before != named_by_.end()) {
        // A flag and a variable come before the file.
        if (before->second.starts_with(of_file))
            fault(pointer, fmt::format("is given beside {}", before->second));
    } else if (is_file) {
        give_file(*row, pointer, *entry.value);
    } else {
        give(*row, {*entry.value, std::string(config_setting)});
        named_by_.emplace(row->name, pointer);
    }
}

void SettingsParser::take_config_file() {
    const auto given = given_.values.find(config_setting);
    if (given == given_.values.end() || given->second.value.empty()) return;
    const std::string path = given->second.value;
    const auto entries = read_config_file(path);
    if (!entries) return fault(named_by_.find(config_setting)->second, entries.error().detail);
    for (const FileEntry& entry : *entries)
        take_entry(fmt::format("{}: {}", path, entry.name), entry);
}

Result<Values> SettingsParser::finish() {
    for (const Setting& row : table_) {
        give(row, {std::string(row.default_value), "default"});
        given_.values.find(row.name)->second.secret = row.secret;
        auto& value = given_.values.find(row.name)->second.value;
        if (auto why = invalid_reason(row, value)) {
            fault(named_by_.find(row.name)->second, std::move(*why));
        } else if (row.kind == Kind::flag) {
            value = *parse_flag(value) ? "true" : "false";
        }
    }
    if (faults_.empty()) return std::move(given_);
    std::string detail = "bad settings";
    std::string_view before = ": ";
    for (const FieldError& one : faults_) {
        detail += fmt::format("{}{} {}", std::exchange(before, "; "), one.pointer, one.detail);
    }
    return fail(Errc::invalid, std::move(detail), std::move(faults_));
}

const std::string& value_of(const Values& values, std::string_view name) {
    const auto found = values.values.find(name);
    if (found == values.values.end())
        throw std::logic_error(fmt::format("there is no setting \"{}\"", name));
    return found->second.value;
}

template <class Value>
Value expect(std::optional<Value> value, std::string_view name) {
    if (!value) throw std::logic_error(fmt::format("setting \"{}\" is of another kind", name));
    return *value;
}

}  // namespace

std::string Values::SettingValue::shown() const {
    const bool is_masked = (secret && !value.empty()) || url::holds_password(value);
    return is_masked ? url::masked(value) : value;
}

const std::string& Values::text(std::string_view name) const { return value_of(*this, name); }

std::int64_t Values::integer(std::string_view name) const {
    return expect(parse_integer(value_of(*this, name)), name);
}

Duration Values::duration(std::string_view name) const {
    return expect(parse_duration(value_of(*this, name)), name);
}

bool Values::flag(std::string_view name) const {
    return expect(parse_flag(value_of(*this, name)), name);
}

Result<Values> read(std::span<const Setting> table, std::span<const std::string> arguments,
                    std::span<const std::string> environment) {
    check_table(table);
    SettingsParser reading(table);
    reading.take_arguments(arguments);
    reading.take_environment(environment);
    reading.take_config_file();
    return reading.finish();
}

}  // namespace trackops::config
