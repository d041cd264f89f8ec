#include "platform/sql/migration_file.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace trackops::sql {
namespace {

struct Word {
    std::string_view name, postgres, sqlite;
};
constexpr Word words[] = {
    {"key", "TEXT COLLATE \"C\"", "TEXT"},
    {"uuid", "uuid", "TEXT"},
    {"instant", "timestamptz", "TEXT"},
    {"json", "jsonb", "TEXT"},
    {"integer", "bigint", "INTEGER"},
    {"boolean", "boolean", "INTEGER"},
    {"bytes", "bytea", "BLOB"},
    {"identity", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
     "INTEGER PRIMARY KEY AUTOINCREMENT"},
    {"table", "", "WITHOUT ROWID"},
};

std::string substitute_words(const MigrationFile& file, Dialect dialect) {
    std::string out;
    std::string_view rest = file.text;
    for (;;) {
        const auto start = rest.find("${");
        out.append(rest.substr(0, start));
        if (start == std::string_view::npos) return out;
        rest.remove_prefix(start + 2);
        const auto end = rest.find('}');
        const auto name = rest.substr(0, end);
        const auto* word = std::ranges::find(words, name, &Word::name);
        if (word == std::end(words) || end == std::string_view::npos) {
            throw std::logic_error(
                fmt::format("migration {}: unknown word ${{{}}}", file.name, name.substr(0, 40)));
        }
        out.append(dialect == Dialect::postgres ? word->postgres : word->sqlite);
        rest.remove_prefix(end + 1);
    }
}

struct Name {
    int version = 0;
    std::optional<Dialect> only;
};

Name parse_name(std::string_view name) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto words_of_name = name;
    Name parsed;
    if (!words_of_name.ends_with(".sql"))
        throw std::logic_error(fmt::format("migration {}: no .sql file", name));
    words_of_name.remove_suffix(4);
    for (const auto& [suffix, dialect] :
         {std::pair{std::string_view(".postgres"), Dialect::postgres},
          {std::string_view(".sqlite"), Dialect::sqlite}}) {
        if (!words_of_name.ends_with(suffix)) continue;
        words_of_name.remove_suffix(suffix.size());
        parsed.only = dialect;
        break;
    }
    const bool shaped =
        words_of_name.size() > 5 && std::ranges::all_of(words_of_name.substr(0, 4), is_digit) &&
        words_of_name[4] == '_' && words_of_name.find('.') == std::string_view::npos;
    if (!shaped)
        throw std::logic_error(
            fmt::format("migration {}: not NNNN_words[.postgres|.sqlite].sql", name));
    for (const char digit : words_of_name.substr(0, 4))
        parsed.version = parsed.version * 10 + (digit - '0');
    return parsed;
}

// FNV-1a, 64 bits. The checksum only needs to reveal an edit.
std::string checksum_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    return fmt::format("{:016x}", hash);
}

void require_no_gap(const std::set<int>& versions) {
    int expected = 1;
    for (const int version : versions) {
        if (version != expected)
            throw std::logic_error(fmt::format("migrations: {:04} is missing", expected));
        ++expected;
    }
}

bool is_comment(std::string_view line) {
    const auto first = line.find_first_not_of(" \t");
    return first != std::string_view::npos && line.substr(first).starts_with("--");
}

// Whether the line holds an odd number of $$, so that a body begins or ends.
bool turns_body(std::string_view line) {
    bool turns = false;
    for (auto at = line.find("$$"); at != std::string_view::npos; at = line.find("$$", at + 2))
        turns = !turns;
    return turns;
}

}  // namespace

std::vector<std::string> split_statements(std::string_view script) {
    std::vector<std::string> statements;
    std::string current;
    bool in_body = false;
    while (!script.empty()) {
        const auto end = std::min(script.find('\n'), script.size());
        std::string_view line = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        if (!in_body && (line.empty() || is_comment(line))) continue;
        in_body = in_body != turns_body(line);
        const bool ends = !in_body && line.ends_with(';');
        if (ends) line.remove_suffix(1);
        current.append(line).append(ends ? "" : "\n");
        if (ends && !current.empty()) statements.push_back(std::exchange(current, {}));
    }
    if (!current.empty()) statements.push_back(std::move(current));
    return statements;
}

MigrationPlan plan_migrations(std::span<const MigrationFile> files, Dialect dialect) {
    MigrationPlan plan;
    std::set<int> versions;
    std::set<std::pair<int, Dialect>> seen;
    for (const auto& file : files) {
        const auto name = parse_name(file.name);
        versions.insert(name.version);
        for (const auto each : {Dialect::sqlite, Dialect::postgres}) {
            if (name.only && *name.only != each) continue;
            if (!seen.emplace(name.version, each).second) {
                throw std::logic_error(fmt::format("migration {}: its number is taken", file.name));
            }
            auto statements = split_statements(substitute_words(file, each));
            if (statements.empty())
                throw std::logic_error(fmt::format("migration {}: no statement", file.name));
            if (each == dialect) {
                plan.migrations.push_back({name.version, std::string(file.name),
                                           checksum_of(file.text), std::move(statements)});
            }
        }
    }
    require_no_gap(versions);
    plan.newest = static_cast<int>(versions.size());
    std::ranges::sort(plan.migrations, {}, &Migration::version);
    return plan;
}

}  // namespace trackops::sql
