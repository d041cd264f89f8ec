#include "platform/sql/migration_file.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>

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

// FNV-1a, 64 bits: it tells an edit from the original, nothing more is asked of it.
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

bool begins_a_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_a_word(char c) { return begins_a_word(c) || (c >= '0' && c <= '9'); }

// The length of $tag$ at the front of text; 0 when there is none.
std::size_t dollar_tag(std::string_view text) {
    std::size_t at = 1;
    if (at < text.size() && begins_a_word(text[at])) {
        while (at < text.size() && continues_a_word(text[at])) ++at;
    }
    return at < text.size() && text[at] == '$' ? at + 1 : 0;
}

std::size_t end_after(std::string_view text, std::size_t from, std::string_view closing) {
    const auto found = text.find(closing, from);
    return found == std::string_view::npos ? text.size() : found + closing.size();
}

// The length of a comment that may hold others, as PostgreSQL reads them.
std::size_t block_comment(std::string_view text) {
    int depth = 0;
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
        if (text.substr(at, 2) == "/*") {
            ++depth;
        } else if (text.substr(at, 2) == "*/") {
            if (--depth == 0) return at + 2;
        } else {
            continue;
        }
        ++at;
    }
    return text.size();
}

struct Piece {
    std::size_t length = 1;
    bool comment = false;
};

// What stands at the front of text (not empty): a whole comment, string, identifier or body, a
// word, or one character.
Piece next_piece(std::string_view text) {
    if (text.starts_with("--")) return {end_after(text, 2, "\n"), true};
    if (text.starts_with("/*")) return {block_comment(text), true};
    // A doubled quote ends one string and begins the next, which comes to the same.
    if (text[0] == '\'' || text[0] == '"') return {end_after(text, 1, text.substr(0, 1))};
    if (text[0] == '$') {
        const auto tag = dollar_tag(text);
        return {tag == 0 ? 1 : end_after(text, tag, text.substr(0, tag))};
    }
    std::size_t length = 1;
    if (begins_a_word(text[0])) {  // A '$' inside a word begins nothing.
        while (length < text.size() && (continues_a_word(text[length]) || text[length] == '$'))
            ++length;
    }
    return {length};
}

}  // namespace

std::vector<std::string> split_statements(std::string_view script) {
    constexpr std::string_view blanks = " \t\r\n";
    std::vector<std::string> statements;
    std::string current;
    const auto finish = [&] {
        const auto first = current.find_first_not_of(blanks);
        if (first != std::string::npos) {
            statements.push_back(
                current.substr(first, current.find_last_not_of(blanks) - first + 1));
        }
        current.clear();
    };
    while (!script.empty()) {
        if (script[0] == ';') {
            finish();
            script.remove_prefix(1);
            continue;
        }
        const auto piece = next_piece(script);
        current.append(piece.comment ? "\n" : script.substr(0, piece.length));
        script.remove_prefix(piece.length);
    }
    finish();
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
