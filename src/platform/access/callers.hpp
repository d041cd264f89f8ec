// The callers that one version of the access file knows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.hpp"
#include "platform/access/access_file.hpp"
#include "platform/http/message.hpp"

namespace trackops::access {

// The result of a look at the credentials of a request. The table in callers.cpp has the text of
// each.
enum class Outcome : std::uint8_t {
    absent,  // there were none
    accepted,
    malformed,  // no Bearer token, or one that does not look like a key
    mistyped,   // the checksum of the key is wrong
    unknown,    // no such key; its id or its secret is wrong
    too_early,  // before notBefore
    expired,    // at or after notAfter
    malformed_session,
    ended_session,  // there is no such session, or its operator's entry has changed
    unasked,        // the store of the sessions does not answer
    // Of tokens; verify_token() has the order in which they are looked for.
    token_malformed,
    token_issuer,
    token_unasked,  // the keys of the provider could not be read yet
    token_key,
    token_algorithm,
    token_signature,
    token_audience,
    token_expired,
    token_early,
    token_claims,
};
inline constexpr std::size_t outcome_count = static_cast<std::size_t>(Outcome::token_claims) + 1;
std::string_view name_of(Outcome outcome);
// Returns a caller whose credentials were not accepted for this reason.
std::shared_ptr<const http::Principal> stranger(Outcome outcome);

struct Identified {
    std::shared_ptr<const http::Principal> principal;  // not null
    Outcome outcome;
};

// Immutable, so any thread may ask.
// The credentials in the header Authorization.
struct Authorization {
    bool is_given = false;
    // Of the scheme Bearer; "" for another one, or if the header is repeated. Points into the
    // request.
    std::string_view token = {};
};
Authorization read_authorization(const http::Request& request);

class Callers {
public:
    explicit Callers(AccessFile file);
    Callers(const Callers&) = delete;
    Callers& operator=(const Callers&) = delete;

    // Finds the caller by `Authorization: Bearer <key>`. The principal of a key is called
    // key:<name>. Whether the id or the secret of a key is wrong makes no difference, neither in
    // the answer nor in the work: one SHA-256 and one comparison of all bytes.
    Identified identify(const http::Request& request, Instant now) const;

    const AccessFile& file() const { return file_; }

private:
    struct Entry {
        const Key* key;
        std::shared_ptr<const http::Principal> principal;
    };
    Identified identify(std::string_view token, Instant now) const;
    const Entry* find(std::string_view id) const;

    const AccessFile file_;
    std::vector<Entry> entries_;  // in the order of the ids
};

}  // namespace trackops::access
