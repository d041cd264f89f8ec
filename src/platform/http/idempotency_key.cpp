#include "platform/http/idempotency_key.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/hex.hpp"
#include "platform/http/field_text.hpp"
#include "platform/json/reader.hpp"

namespace trackops::http {
namespace {

// Returns the content of a structured-field string; nothing if the string is not closed or escapes
// any character but " and \.
std::optional<std::string> unquoted(std::string_view text) {
    std::string inside;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1 == text.size() ? std::optional(inside) : std::nullopt;
        if (text[i] == '\\') {
            ++i;
            if (i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
        }
        inside.push_back(text[i]);
    }
    return std::nullopt;
}

// Returns the caller in the scope of a key. Version 0.1 recorded the keys of callers on this
// machine under the name "anonymous", and a repeat after an upgrade must find them.
std::string_view owner_of(const Principal& principal) {
    if (principal.name == local_principal()->name) return "anonymous";
    return principal.name;
}

std::string scope_of(const Request& request) {
    return fmt::format("{} {} {}", owner_of(*request.context.principal), request.method,
                       request.path);
}

std::unexpected<Error> invalid_key(std::string detail, std::string code) {
    return fail(Errc::invalid, "the Idempotency-Key is not valid",
                {{"Idempotency-Key", std::move(detail), std::move(code)}});
}

}  // namespace

Result<std::optional<std::string>> read_idempotency_key(std::optional<std::string_view> header) {
    if (!header) return std::nullopt;
    const std::string_view text = without_white_space(*header);
    std::optional<std::string> key =
        text.starts_with('"') ? unquoted(text) : std::optional(std::string(text));
    if (!key) return invalid_key("is not a closed string", "format");
    if (key->empty()) return invalid_key("is empty", "length");
    if (key->size() > idempotency_key_bytes_max) {
        return invalid_key(fmt::format("is longer than {} characters", idempotency_key_bytes_max),
                           "length");
    }
    const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
    if (!std::ranges::all_of(*key, is_visible)) {
        return invalid_key("has characters that are not visible ASCII", "format");
    }
    return key;
}

Result<std::optional<IdempotencyKey>> read_idempotency_key(const Request& request,
                                                           Duration lifetime) {
    auto key = TRY(read_idempotency_key(request.header("idempotency-key")));
    if (!key) return std::optional<IdempotencyKey>();
    return std::optional(IdempotencyKey{scope_of(request), *std::move(key),
                                        fingerprint_of_meaning(request.body),
                                        fingerprint(request.body), lifetime});
}

Result<IdempotencyKey> read_line_key(const Request& request, const std::optional<std::string>& key,
                                     std::string_view line, Duration lifetime) {
    if (!key)
        return fail(Errc::precondition_required,
                    "the line needs an idempotencyKey, so that a repeat cannot count twice");
    auto read = TRY(read_idempotency_key(*key));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return IdempotencyKey{scope_of(request), *std::move(read), fingerprint_of_meaning(line),
                          fingerprint(line), lifetime};
}

Result<void> check_key_is_given(const Route& route, const Request& request) {
    if (route.idempotency != Idempotency::required || request.header("idempotency-key")) return {};
    return fail(
        Errc::precondition_required,
        "this request needs an Idempotency-Key, so that a repeat cannot count twice: a new "
        "one for each thing to do, the same one for each repeat of it",
        {{"Idempotency-Key",
          "is required, such as Idempotency-Key: 7c9e6679-7425-40de-944b-e07fc1f90ae7 with a "
          "UUID that you generate, or your own number of the thing",
          "required"}});
}

std::vector<Route> with_optional_keys(std::vector<Route> routes) {
    for (Route& route : routes) {
        if (route.idempotency == Idempotency::required) route.idempotency = Idempotency::optional;
    }
    return routes;
}

std::string fingerprint_of_meaning(std::string_view body) {
    if (body.empty()) return fingerprint("{}");
    const auto document = json::Document::parse(body);
    return fingerprint(document ? std::string_view(document->root().canonical()) : body);
}

std::string fingerprint(std::string_view body) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(body.data(), body.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not at hand");
    }
    return hex(std::span(digest).first(size));
}

Response response_of(const RecordedResponse& answer) {
    Response response{.status = answer.status, .body = answer.body};
    if (!answer.etag.empty()) response.headers.emplace_back("ETag", answer.etag);
    if (!answer.location.empty()) response.headers.emplace_back("Location", answer.location);
    return response;
}

void add_key_expiry(Response& response, Instant expires_at) {
    response.headers.emplace_back("Idempotency-Expires", expires_at.text());
}

Response replayed_response(const RecordedResponse& answer) {
    Response response = response_of(answer);
    response.headers.emplace_back("Idempotency-Replayed", "true");
    if (answer.expires_at > Instant{}) add_key_expiry(response, answer.expires_at);
    return response;
}

}  // namespace trackops::http
