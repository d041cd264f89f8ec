#include "platform/url/url.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <boost/url/authority_view.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include "platform/url/mask.hpp"

namespace trackops::url {
namespace {

namespace urls = boost::urls;
constexpr auto npos = std::string_view::npos;
constexpr std::size_t shown_bytes_max = 200;

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_url_character(char c) {
    return is_letter_or_digit(c) || std::string_view("-._~:/?#[]@!$&'()*+,;=%").contains(c);
}

// Returns the URL for an error: masked, up to the first NUL, without control characters, not too
// long.
std::string shown(std::string_view text) {
    text = text.substr(0, text.find('\0'));
    const std::string_view scheme = scheme_of(text);
    std::string out = "...";
    if (text.contains("://")) {
        out = masked(text);
    } else if (!scheme.empty()) {
        out = fmt::format("{}:...", scheme);
    }
    std::ranges::replace_if(out, [](char c) { return c < ' ' || c > '~'; }, '?');
    if (out.size() > shown_bytes_max) out.replace(shown_bytes_max, npos, "...");
    return out;
}

// The text before the hosts, the hosts, and the text behind them.
struct Pieces {
    std::string_view before;  // SCHEME://USER:PASSWORD@
    std::string_view hosts;
    std::string_view after;  // /PATH?QUERY
};

Pieces pieces_of(std::string_view text) {
    const std::size_t authority = text.find("://") + 3;
    const std::size_t end = std::min(text.find_first_of("/?#", authority), text.size());
    const std::size_t at = text.substr(authority, end - authority).rfind('@');
    const std::size_t hosts = at == npos ? authority : authority + at + 1;
    return {text.substr(0, hosts), text.substr(hosts, end - hosts), text.substr(end)};
}

bool has_bad_escape(std::string_view text) {
    for (std::size_t at = text.find('%'); at != npos; at = text.find('%', at + 1)) {
        const auto is_hex = [&](std::size_t index) {
            return index < text.size() &&
                   std::string_view("0123456789abcdefABCDEF").contains(text[index]);
        };
        if (!is_hex(at + 1) || !is_hex(at + 2)) return true;
    }
    return false;
}

// Boost.URL says only that a text does not follow the grammar, and 1.81 takes a second '@'. These
// are the ways in which people get it wrong; the first one is told.
void require_grammar(std::string_view text, const Form& form, const Pieces& pieces) {
    const std::string_view login = pieces.before.substr(text.find("://") + 3);
    const struct {
        bool is_so;
        std::string_view why;
    } faults[] = {
        {!std::ranges::all_of(text, is_url_character),
         "it has a character that is written as % and two hex digits (a space is %20)"},
        {has_bad_escape(text), "a % is followed by two hex digits; % itself is written %25"},
        {text.contains('#'), "a # is written %23"},
        {std::ranges::count(login, '@') > 1, "an @ in a user or password is written %40"},
        {login.find_first_of("[]") != npos,
         "[ and ] in a user or password are written %5B and %5D"},
    };
    for (const auto& fault : faults) {
        if (fault.is_so) refuse(text, form, fault.why);
    }
}

// Returns why Boost.URL cannot read HOST, HOST:PORT, [IPv6] or [IPv6]:PORT.
std::string_view host_fault_of(std::string_view host, const Pieces& pieces) {
    const auto bracket = host.find(']');
    if (host.starts_with('[') && bracket == npos) return "it has a [ without its ]";
    const std::string_view name = host.substr(0, bracket == npos ? host.find(':') : bracket + 1);
    if (!host.substr(name.size()).starts_with(':') || !urls::parse_authority(name))
        return "a host is no host name";
    if (pieces.after.contains('@'))
        return "the port is no number from 1 to 65535; in a user or password / is written %2F and "
               "? is written %3F";
    return "the port is no number from 1 to 65535";
}

// Boost.URL 1.81 takes 99999 for 34463.
std::optional<std::uint16_t> port_of(std::string_view digits) {
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (fault != std::errc() || end != digits.data() + digits.size() || port == 0)
        return std::nullopt;
    return port;
}

bool is_host_name(const urls::authority_view& host, std::string_view name, const Form& form) {
    switch (host.host_type()) {
        case urls::host_type::ipv4:
        case urls::host_type::ipv6:
        case urls::host_type::none:
            return true;
        case urls::host_type::ipvfuture:
            return false;
        case urls::host_type::name:
            break;
    }
    if (form.takes_socket_folders && name.starts_with('/')) return !name.contains(',');
    return std::ranges::all_of(
        name, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

// Reads HOST, HOST:PORT, [IPv6] or [IPv6]:PORT.
Host read_host(std::string_view text, const Form& form, std::string_view host,
               const Pieces& pieces) {
    const auto read = urls::parse_authority(host);
    if (!read) refuse(text, form, host_fault_of(host, pieces));
    Host out{.name = read->host_address()};
    if (!is_host_name(*read, out.name, form)) refuse(text, form, "a host is no host name");
    if (read->has_port()) {
        out.port = port_of(read->port());
        if (!out.port) refuse(text, form, "the port is no number from 1 to 65535");
    }
    return out;
}

std::vector<Host> read_hosts(std::string_view text, const Form& form, const Pieces& pieces) {
    std::vector<Host> hosts;
    std::string_view rest = pieces.hosts;
    for (;;) {
        const auto comma = rest.find(',');
        hosts.push_back(read_host(text, form, rest.substr(0, comma), pieces));
        if (comma == npos) return hosts;
        rest.remove_prefix(comma + 1);
    }
}

void require_form(std::string_view text, const Form& form) {
    if (text.size() > url_bytes_max)
        refuse(text, form, fmt::format("it is longer than {} bytes", url_bytes_max));
    if (text.contains('\0') || text.contains("%00")) refuse(text, form, "it has a NUL");
    const auto begins_with = [&](std::string_view scheme) {
        return !scheme.empty() && text.starts_with(scheme) &&
               text.substr(scheme.size()).starts_with("://");
    };
    if (begins_with(form.scheme) || begins_with(form.other_scheme)) return;
    refuse(text, form,
           form.other_scheme.empty() ? fmt::format("it does not begin with {}://", form.scheme)
                                     : fmt::format("it begins with neither {}:// nor {}://",
                                                   form.scheme, form.other_scheme));
}

// Sorts the parameters into those that may be shown and those that may not.
void read_parameters(std::string_view text, const Form& form, const urls::url_view& from,
                     Url& out) {
    for (const auto& parameter : from.encoded_params()) {
        if (!parameter.has_value && parameter.key.empty()) continue;  // nothing stands there
        if (!parameter.has_value) refuse(text, form, "a parameter is written NAME=VALUE");
        std::string name = parameter.key.decode();
        if (is_secret_parameter(name)) {
            out.secret_parameters.emplace_back(std::move(name), Secret(parameter.value.decode()));
        } else {
            out.parameters.emplace_back(std::move(name), parameter.value.decode());
        }
    }
}

}  // namespace

std::string Host::text(std::uint16_t default_port) const {
    const bool is_v6 = name.contains(':');
    return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", name, is_v6 ? "]" : "",
                       port.value_or(default_port));
}

Url parse_url(std::string_view text, const Form& form) {
    require_form(text, form);
    const Pieces pieces = pieces_of(text);
    require_grammar(text, form, pieces);
    std::vector<Host> hosts = read_hosts(text, form, pieces);
    // Boost.URL knows no list of hosts, so it reads the URL with the first one.
    std::string with_one_host(pieces.before);
    with_one_host.append(pieces.hosts.substr(0, pieces.hosts.find(','))).append(pieces.after);
    // A Secret, because it may hold a password.
    const Secret whole(std::move(with_one_host));
    const auto read = urls::parse_uri(whole.reveal());
    if (!read) refuse(text, form, "it is not a URL");
    // Else a password with a '/' would pass as a path, which may be shown.
    if (std::string_view(read->encoded_path().data(), read->encoded_path().size()).contains('@'))
        refuse(text, form, "an @ follows the host; in a user or password / is written %2F");
    Url out{.scheme = std::string(read->scheme()),
            .user = read->user(),
            .password = std::nullopt,
            .hosts = std::move(hosts),
            .path = read->path(),
            .parameters = {},
            .secret_parameters = {}};
    if (read->has_password()) out.password = Secret(read->password());
    read_parameters(text, form, *read, out);
    return out;
}

void refuse(std::string_view text, const Form& form, std::string_view why) {
    throw std::invalid_argument(fmt::format("{} '{}': {}; write for example {}", form.what,
                                            shown(text), why, form.example));
}

std::string_view scheme_of(std::string_view text) {
    constexpr std::size_t scheme_bytes_max = 20;
    const std::string_view scheme = text.substr(0, text.find(':'));
    const bool is_scheme =
        scheme.size() < text.size() && scheme.size() <= scheme_bytes_max &&
        std::ranges::all_of(
            scheme,
            [](char c) { return is_letter_or_digit(c) || c == '+' || c == '-' || c == '.'; });
    return is_scheme ? scheme : std::string_view();
}

std::string local_path(std::string_view text, const Form& form) {
    std::string_view path = text.substr(text.find(':') + 1);
    if (path.starts_with("//")) {
        path.remove_prefix(2);
        if (!path.empty() && !path.starts_with('/')) refuse(text, form, "it has a host");
    }
    if (path.contains('\0')) refuse(text, form, "it has a NUL");
    return std::string(path);
}

}  // namespace trackops::url
