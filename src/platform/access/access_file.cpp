#include "platform/access/access_file.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/hex.hpp"
#include "platform/access/key_text.hpp"
#include "platform/access/password.hpp"
#include "platform/http_client/call.hpp"
#include "platform/json/object_reader.hpp"
#include "platform/json/writer.hpp"

namespace trackops::access {
namespace {

constexpr std::size_t time_bytes_max = 40;
constexpr std::size_t password_hash_bytes_max = 127;
constexpr json::TextRule name_rule{
    .max_characters = name_bytes_max,
    .is_valid = is_name,
    .expected =
        "must be of letters, digits, '.', '_', '@' and '-', and begin with one of the "
        "first two"};

bool is_digest(std::string_view text) { return parse_digest(text).has_value(); }
bool is_time(std::string_view text) { return Instant::parse(text).has_value(); }
bool is_hash(std::string_view text) { return is_password_hash(std::string(text)); }
// Nobody on the way may choose the keys.
bool is_key_set_url(std::string_view text) {
    const auto target = http_client::parse_target(text, "keySetUrl");
    return target && (target->server.has_tls || target->server.is_loopback());
}
bool is_role(std::string_view text) { return role_named(text).has_value(); }

constexpr json::TextRule id_rule{.max_characters = key_id_size,
                                 .is_valid = is_key_id,
                                 .expected = "must be of 8 letters and digits"};
constexpr json::TextRule digest_rule{.max_characters = 64,
                                     .is_valid = is_digest,
                                     .expected = "must be of 64 hex digits in lower case"};
constexpr json::TextRule time_rule{.max_characters = time_bytes_max,
                                   .is_valid = is_time,
                                   .expected = "must be a time, such as 2027-01-31T00:00:00Z"};
constexpr json::TextRule hash_rule{
    .max_characters = password_hash_bytes_max,
    .is_valid = is_hash,
    .expected = "must be a hash that `trackops access add-operator` has made"};
constexpr json::TextRule text_rule{.max_characters = 255};
constexpr json::TextRule url_rule{
    .max_characters = 1024,
    .is_valid = is_key_set_url,
    .expected = "must be a URL with https, or with http on this machine"};
constexpr json::TextRule role_rule{.max_characters = name_bytes_max,
                                   .is_valid = is_role,
                                   .expected = "must be viewer, clerk, operator or admin"};

http::Scopes read_scopes(json::ObjectReader& in, std::vector<FieldError>& faults) {
    http::Scopes scopes{};
    in.array("scopes", true, 1, http::scope_count, [&](json::Value value, const std::string& at) {
        const auto text = value.text();
        const auto scope = text ? http::scope_named(*text) : std::nullopt;
        if (scope) {
            scopes.add({*scope});
        } else if (faults.size() < json::faults_max) {
            faults.push_back({at, "must be one of " + all_scope_names(), "format"});
        }
    });
    return scopes;
}

class Reader {
public:
    explicit Reader(std::vector<FieldError>& faults) : faults_(faults) {}

    Key key(json::ObjectReader in) {
        Key key{.name = in.text("name", name_rule),
                .id = in.text("id", id_rule),
                .digest = parse_digest(in.text("sha256", digest_rule)).value_or(Digest{}),
                .scopes = read_scopes(in, faults_)};
        key.not_before =
            Instant::parse(in.maybe_text("notBefore", time_rule).value_or("")).value_or(Instant{});
        const auto end = Instant::parse(in.text("notAfter", time_rule));
        key.not_after = end.value_or(Instant{});
        if (end && *end <= key.not_before)
            in.fault("notAfter", "must be later than notBefore", "range");
        if (!key.id.empty() && !ids_.insert(key.id).second)
            in.fault("id", "is the id of another key, too", "repeated");
        in.finish();
        return key;
    }

    Operator an_operator(json::ObjectReader in) {
        Operator one{.name = in.text("name", name_rule),
                     .password_hash = in.text("password", hash_rule),
                     .role = role_named(in.text("role", role_rule)).value_or(Role::viewer)};
        if (!one.name.empty() && !operators_.insert(one.name).second)
            in.fault("name", "is the name of another operator, too", "repeated");
        in.finish();
        return one;
    }

    Provider provider(json::ObjectReader in) {
        Provider one{.name = in.text("name", name_rule),
                     .issuer = in.text("issuer", text_rule),
                     .audience = in.text("audience", text_rule),
                     .key_set_file = in.maybe_text("keySetFile", text_rule).value_or(""),
                     .key_set_url = in.maybe_text("keySetUrl", url_rule).value_or(""),
                     .key_set_ca_file = in.maybe_text("keySetCaFile", text_rule).value_or("")};
        if (one.key_set_file.empty() == one.key_set_url.empty())
            in.fault("keySetFile", "is required, or else keySetUrl, and not both", "required");
        if (one.key_set_url.empty() && !one.key_set_ca_file.empty())
            in.fault("keySetCaFile", "has no meaning without keySetUrl", "unknown");
        one.scope_claim = in.maybe_text("scopeClaim", text_rule).value_or(one.scope_claim);
        one.customer_claim = in.maybe_text("customerClaim", text_rule).value_or(one.customer_claim);
        one.scopes = read_scopes(in, faults_);
        if (!one.name.empty() && !providers_.insert(one.name).second)
            in.fault("name", "is the name of another provider, too", "repeated");
        if (!one.issuer.empty() && !issuers_.insert(one.issuer).second)
            in.fault("issuer", "is the issuer of another provider, too", "repeated");
        in.finish();
        return one;
    }

private:
    std::vector<FieldError>& faults_;
    std::set<std::string> providers_;
    std::set<std::string> issuers_;
    std::set<std::string> ids_;
    std::set<std::string> operators_;
};

void append_lines(std::string& out, std::string_view name, const std::vector<std::string>& lines) {
    out += fmt::format("  \"{}\": [", name);
    for (std::size_t i = 0; i < lines.size(); ++i)
        out += fmt::format("{}\n    {}", i == 0 ? "" : ",", lines[i]);
    out += lines.empty() ? "]" : "\n  ]";
}

std::string line_of(const Key& key) {
    std::string line;
    json::Writer out(line);
    out.begin_object().member("name", key.name).member("id", key.id);
    out.member("sha256", hex(key.digest)).name("scopes").begin_array();
    for (const std::string_view scope : names_of(key.scopes)) out.value(scope);
    out.end_array();
    if (key.not_before != Instant{}) out.member("notBefore", key.not_before);
    out.member("notAfter", key.not_after).end_object();
    return line;
}

std::string line_of(const Operator& one) {
    std::string line;
    json::Writer(line)
        .begin_object()
        .member("name", one.name)
        .member("role", name_of(one.role))
        .member("password", one.password_hash)
        .end_object();
    return line;
}

std::string line_of(const Provider& provider) {
    std::string line;
    json::Writer out(line);
    out.begin_object().member("name", provider.name).member("issuer", provider.issuer);
    out.member("audience", provider.audience);
    for (const auto& [name, value] : {std::pair{"keySetFile", &provider.key_set_file},
                                      std::pair{"keySetUrl", &provider.key_set_url},
                                      std::pair{"keySetCaFile", &provider.key_set_ca_file}}) {
        if (!value->empty()) out.member(name, *value);
    }
    out.member("scopeClaim", provider.scope_claim);
    out.member("customerClaim", provider.customer_claim).name("scopes").begin_array();
    for (const std::string_view scope : names_of(provider.scopes)) out.value(scope);
    out.end_array().end_object();
    return line;
}

}  // namespace

bool is_name(std::string_view text) {
    const auto is_alphanumeric = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    return !text.empty() && text.size() <= name_bytes_max && is_alphanumeric(text.front()) &&
           std::ranges::all_of(text, [&](char c) {
               return is_alphanumeric(c) || c == '.' || c == '_' || c == '@' || c == '-';
           });
}

Result<AccessFile> read_access_file(std::string_view text) {
    if (text.size() > access_file_bytes_max)
        return fail(Errc::too_large,
                    fmt::format("has more than {} KiB", access_file_bytes_max / 1024));
    const json::Document document = TRY(json::Document::parse(text));
    std::vector<FieldError> faults;
    json::ObjectReader in(document.root(), "", faults);
    AccessFile file;
    Reader reader(faults);
    in.array("keys", false, 0, keys_max, [&](json::Value value, const std::string& at) {
        file.keys.push_back(reader.key(in.nested(value, at)));
    });
    in.array("operators", false, 0, operators_max, [&](json::Value value, const std::string& at) {
        file.operators.push_back(reader.an_operator(in.nested(value, at)));
    });
    in.array("providers", false, 0, providers_max, [&](json::Value value, const std::string& at) {
        file.providers.push_back(reader.provider(in.nested(value, at)));
    });
    in.finish();
    if (!faults.empty()) return fail(Errc::invalid, "is not valid", std::move(faults));
    return file;
}

std::string text_of(const AccessFile& file) {
    std::string out = "{\n";
    std::vector<std::string> lines;
    for (const Key& key : file.keys) lines.push_back(line_of(key));
    append_lines(out, "keys", lines);
    out += ",\n";
    lines.clear();
    for (const Operator& one : file.operators) lines.push_back(line_of(one));
    append_lines(out, "operators", lines);
    if (!file.providers.empty()) {
        out += ",\n";
        lines.clear();
        for (const Provider& one : file.providers) lines.push_back(line_of(one));
        append_lines(out, "providers", lines);
    }
    return out + "\n}\n";
}

std::string faults_of(const Error& error) {
    std::string text = error.detail;
    for (std::size_t i = 0; i < error.fields.size(); ++i) {
        const FieldError& fault = error.fields[i];
        text += fmt::format("{}{} {}", i == 0 ? ": " : "; ", fault.pointer, fault.detail);
    }
    return text;
}

}  // namespace trackops::access
