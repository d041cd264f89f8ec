#include "platform/url/mask.hpp"

#include <algorithm>
#include <array>

#include <boost/url/pct_string_view.hpp>
#include <fmt/format.h>

#include "base/ascii_case.hpp"

namespace trackops::url {
namespace {

constexpr std::string_view mask = "******";
constexpr auto npos = std::string_view::npos;

// Returns the name of NAME=VALUE, decoded; as it is if it cannot be decoded.
std::string name_of(std::string_view parameter) {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    const auto encoded = boost::urls::make_pct_string_view(name);
    return encoded ? encoded->decode() : std::string(name);
}

// Calls visit(parameter) for each NAME=VALUE of a query without its '?'.
template <class Visit>
void for_each_parameter(std::string_view query, Visit visit) {
    for (;;) {
        const auto end = query.find('&');
        visit(query.substr(0, end));
        if (end == npos) return;
        query.remove_prefix(end + 1);
    }
}

bool has_secret_parameter(std::string_view query) {
    bool found = false;
    for_each_parameter(query, [&](std::string_view parameter) {
        const auto equals = parameter.find('=');
        found = found || (equals != npos && equals + 1 < parameter.size() &&
                          is_secret_parameter(name_of(parameter)));
    });
    return found;
}

// Returns the text after the first '?', or "".
std::string_view query_of(std::string_view rest) {
    const auto question = rest.find('?');
    return question == npos ? std::string_view() : rest.substr(question + 1);
}

// Returns whether the text is NAME=VALUE with the name of a usual parameter.
bool is_plain(std::string_view parameter) {
    const auto end = parameter.find_first_not_of(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    return end != npos && end > 0 && parameter[end] == '=';
}

// Returns `rest` with the values of its secret parameters masked. Text after a secret parameter
// that is no plain parameter may belong to it: a '&' in it was not encoded.
std::string with_masked_query(std::string_view rest) {
    const auto question = rest.find('?');
    std::string out(rest.substr(0, question));
    if (question == npos) return out;
    char separator = '?';
    bool follows_secret = false;
    for_each_parameter(rest.substr(question + 1), [&](std::string_view parameter) {
        const auto equals = parameter.find('=');
        if (follows_secret && !is_plain(parameter)) return;
        const bool is_secret = equals != npos && is_secret_parameter(name_of(parameter));
        out += separator;
        out += is_secret ? parameter.substr(0, equals + 1) : parameter;
        if (is_secret && equals + 1 < parameter.size()) out += mask;
        follows_secret = is_secret;
        separator = '&';
    });
    return out;
}

// Returns where the ':' stands that ends the user or the host. The colons of an IPv6 address in
// brackets do not count; brackets of another content may be part of a password.
std::size_t first_colon(std::string_view rest) {
    if (rest.starts_with('[')) {
        const auto end = rest.find_first_not_of("0123456789abcdefABCDEF:.", 1);
        const bool is_host =
            end != npos && rest[end] == ']' &&
            (end + 1 == rest.size() || std::string_view(":/?,").contains(rest[end + 1]));
        if (is_host) return rest.find(':', end);
    }
    return rest.find(':');
}

// The parts of SCHEME://REST that decide where a password may stand.
struct Marks {
    std::string_view scheme;  // with "://"
    std::string_view rest;
    std::size_t colon;
    std::size_t at;
    std::size_t question;
    // The password reaches from the first ':' to the last '@', because it may itself contain '/',
    // '?' and '@' that were not encoded.
    bool has_login_password() const { return at != npos && colon < at; }
};

Marks marks_of(std::string_view text, std::size_t scheme) {
    const std::string_view rest = text.substr(scheme + 3);
    return {text.substr(0, scheme + 3), rest, first_colon(rest), rest.rfind('@'), rest.find('?')};
}

// Returns HOSTS/PATH?QUERY masked. Text after the first ':' that is no port may be a password whose
// host is missing.
std::string with_masked_hosts(std::string_view rest) {
    const auto colon = first_colon(rest);
    if (colon < rest.find('?')) {
        const std::string_view port = rest.substr(colon + 1);
        const auto end = port.find_first_not_of("0123456789");
        if (end != npos && !std::string_view("/?,").contains(port[end]))
            return fmt::format("{}:{}", rest.substr(0, colon), mask);
    }
    return with_masked_query(rest);
}

// Returns whether the text before "://" names a scheme. Otherwise it may be a user, and a password
// that has "://" in it.
bool is_scheme(std::string_view text) {
    constexpr std::string_view jdbc = "jdbc:";
    if (text.starts_with(jdbc)) text.remove_prefix(jdbc.size());
    return text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-") == npos;
}

bool is_local(std::string_view text) {
    return (text.starts_with("sqlite:") || text.starts_with("embedded:")) && !text.contains("://");
}

}  // namespace

bool is_secret_parameter(std::string_view name) {
    constexpr auto words = std::to_array<std::string_view>({"pass", "pwd", "secret", "token"});
    const std::string lower = in_lower_case(name);
    return !lower.ends_with("file") &&
           std::ranges::any_of(words, [&](std::string_view word) { return lower.contains(word); });
}

std::string masked(std::string_view text) {
    if (is_local(text)) return std::string(text);
    const auto scheme = text.find("://");
    if (scheme == npos || !is_scheme(text.substr(0, scheme))) return std::string(mask);
    const Marks marks = marks_of(text, scheme);
    std::string out(marks.scheme);
    const std::string_view before = marks.rest.substr(0, marks.colon);
    if (marks.has_login_password()) {
        // A secret parameter may have been cut in two, or have an '@'.
        if (has_secret_parameter(query_of(before))) return out += with_masked_query(before);
        out.append(before).append(":").append(mask);
        if (marks.at > marks.question && has_secret_parameter(query_of(marks.rest))) return out;
        out += '@';
        return out += with_masked_hosts(marks.rest.substr(marks.at + 1));
    }
    return out += marks.at == npos ? with_masked_hosts(marks.rest) : with_masked_query(marks.rest);
}

bool holds_password(std::string_view text) {
    const auto scheme = text.find("://");
    if (scheme == npos) return false;
    if (!is_scheme(text.substr(0, scheme))) return text.contains('@');
    const Marks marks = marks_of(text, scheme);
    return marks.has_login_password() || has_secret_parameter(query_of(marks.rest));
}

}  // namespace trackops::url
