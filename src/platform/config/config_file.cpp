#include "platform/config/config_file.hpp"

#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "platform/json/reader.hpp"

namespace trackops::config {
namespace {

std::optional<std::string> text_of(const json::Value& value) {
    if (const auto text = value.text()) return std::string(*text);
    if (const auto flag = value.boolean()) return *flag ? "true" : "false";
    if (value.kind() != json::Kind::integer) return std::nullopt;
    return fmt::to_string(value.integer().value());
}

}  // namespace

Result<std::vector<FileEntry>> read_config_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content(config_file_bytes_max + 1, '\0');
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (!file.eof() && file.gcount() == 0)
        return fail(Errc::invalid, fmt::format("names a file that cannot be read: {}", path));
    content.resize(static_cast<std::size_t>(file.gcount()));
    if (content.size() > config_file_bytes_max)
        return fail(Errc::invalid, fmt::format("names a file of more than 1 MiB: {}", path));
    const auto document = json::Document::parse(content);
    if (!document)
        return fail(Errc::invalid, fmt::format("names a file that is not JSON ({}): {}",
                                               document.error().detail, path));
    if (document->root().kind() != json::Kind::object)
        return fail(Errc::invalid, fmt::format("names a file that is no JSON object: {}", path));
    std::vector<FileEntry> entries;
    document->root().each_member([&](std::string_view name, const json::Value& value) {
        entries.push_back({std::string(name), text_of(value)});
    });
    return entries;
}

}  // namespace trackops::config
