#include "platform/access/callers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii_case.hpp"
#include "platform/access/key_text.hpp"

namespace trackops::access {
namespace {

using http::Principal;

struct OutcomeRow {
    Outcome outcome;
    std::string_view name;
    std::string_view fault;  // for the caller
    Errc code = Errc::unauthorized;
};
constexpr auto outcomes = std::to_array<OutcomeRow>({
    {Outcome::absent, "absent", ""},
    {Outcome::accepted, "accepted", ""},
    {Outcome::malformed, "malformed", "Authorization must be 'Bearer' and one key (trk_...)"},
    {Outcome::mistyped, "mistyped", "the key is mistyped or not whole: its checksum is wrong"},
    {Outcome::unknown, "unknown", "the key is not known"},
    {Outcome::too_early, "too_early", "the key is not valid yet"},
    {Outcome::expired, "expired", "the key is no longer valid"},
    {Outcome::malformed_session, "malformed_session", "the cookie of the session is not one id"},
    {Outcome::ended_session, "ended_session", "the session has ended; log in again"},
    {Outcome::unasked, "unasked", "the sessions cannot be asked for now", Errc::unavailable},
    {Outcome::token_malformed, "token_malformed", "the token is not a JWT that is taken here"},
    {Outcome::token_issuer, "token_issuer", "the issuer of the token is not known"},
    {Outcome::token_unasked, "token_unasked", "the keys of the issuer are not known yet",
     Errc::unavailable},
    {Outcome::token_key, "token_key", "the token names no key of its issuer"},
    {Outcome::token_algorithm, "token_algorithm", "the algorithm of the token is not its key's"},
    {Outcome::token_signature, "token_signature", "the signature of the token is wrong"},
    {Outcome::token_audience, "token_audience", "the token is for another audience"},
    {Outcome::token_expired, "token_expired", "the token is no longer valid, or has no end"},
    {Outcome::token_early, "token_early", "the token is not valid yet"},
    {Outcome::token_claims, "token_claims", "a claim of the token is missing or odd"},
});
static_assert([] {
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (static_cast<std::size_t>(outcomes[i].outcome) != i) return false;
        if (outcomes[i].fault.contains('"') || outcomes[i].fault.contains('\\')) return false;
    }
    return outcomes.size() == outcome_count;
}());

Identified refused(Outcome outcome) { return {stranger(outcome), outcome}; }

// The scheme is case-insensitive (RFC 9110, section 11.1). Returns "" if it is another one.
std::string_view bearer_token(std::string_view authorization) {
    constexpr std::string_view scheme = "bearer ";
    if (!begins_in_any_case(authorization, scheme)) return {};
    const std::string_view token = authorization.substr(scheme.size());
    return token.substr(std::min(token.find_first_not_of(' '), token.size()));
}

}  // namespace

std::string_view name_of(Outcome outcome) {
    return outcomes.at(static_cast<std::size_t>(outcome)).name;
}

std::shared_ptr<const Principal> stranger(Outcome outcome) {
    static const auto strangers = [] {
        std::array<std::shared_ptr<const Principal>, outcome_count> all;
        for (std::size_t i = 0; i < outcome_count; ++i) {
            all[i] = std::make_shared<const Principal>(Principal{.name = http::nobody()->name,
                                                                 .is_authenticated = false,
                                                                 .fault = outcomes[i].fault,
                                                                 .fault_code = outcomes[i].code});
        }
        return all;
    }();
    return strangers.at(static_cast<std::size_t>(outcome));
}

Authorization read_authorization(const http::Request& request) {
    const auto is_wanted = [&](const auto& header) { return header.first == "authorization"; };
    const auto given = std::ranges::find_if(request.headers, is_wanted);
    if (given == request.headers.end()) return {};
    // Of two headers another program on the way may have read the other one.
    if (std::any_of(given + 1, request.headers.end(), is_wanted)) return {.is_given = true};
    return {.is_given = true, .token = bearer_token(given->second)};
}

Callers::Callers(AccessFile file) : file_(std::move(file)) {
    entries_.reserve(file_.keys.size());
    for (const Key& key : file_.keys) {
        entries_.push_back({&key, std::make_shared<const Principal>(
                                      Principal{.name = "key:" + key.name, .scopes = key.scopes})});
    }
    std::ranges::sort(entries_, {},
                      [](const Entry& entry) { return std::string_view(entry.key->id); });
}

const Callers::Entry* Callers::find(std::string_view id) const {
    const auto id_of = [](const Entry& entry) { return std::string_view(entry.key->id); };
    const auto found = std::ranges::lower_bound(entries_, id, {}, id_of);
    return found != entries_.end() && found->key->id == id ? &*found : nullptr;
}

Identified Callers::identify(const http::Request& request, Instant now) const {
    const Authorization given = read_authorization(request);
    if (!given.is_given) return refused(Outcome::absent);
    return identify(given.token, now);
}

Identified Callers::identify(std::string_view token, Instant now) const {
    const auto text = parse_key_text(token);
    if (!text)
        return refused(text.error() == KeyFault::form ? Outcome::malformed : Outcome::mistyped);
    const Entry* const entry = find(text->id);
    // A stranger's id costs as much as a known one.
    static constexpr Digest nothing{};
    const bool is_right = is_same(digest_of(*text), entry ? entry->key->digest : nothing);
    if (!entry || !is_right) return refused(Outcome::unknown);
    if (now < entry->key->not_before) return refused(Outcome::too_early);
    if (now >= entry->key->not_after) return refused(Outcome::expired);
    return {entry->principal, Outcome::accepted};
}

}  // namespace trackops::access
