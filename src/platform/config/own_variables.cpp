#include "platform/config/own_variables.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace trackops::config {
namespace {

std::string variable_of(const Setting& setting) {
    std::string name = fmt::format("TRACKOPS_{}", setting.name);
    std::ranges::transform(name, name.begin(), [](char c) {
        return c == '-' ? '_' : (c >= 'a' && c <= 'z') ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return name;
}

}  // namespace

std::vector<std::string> own_variables(std::span<const Setting> table,
                                       std::span<const std::string> environment) {
    std::vector<std::string> found;
    for (const Setting& setting : table) {
        const std::string name = variable_of(setting);
        for (const std::string& variable : environment) {
            if (variable.starts_with(name + "=") ||
                (setting.secret && variable.starts_with(name + "_FILE=")))
                found.push_back(variable);
        }
    }
    return found;
}

}  // namespace trackops::config
