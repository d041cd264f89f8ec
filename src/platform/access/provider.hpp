// An identity provider as the access file names it.
#pragma once
#include <cstddef>
#include <string>

#include "platform/http/principal.hpp"

namespace trackops::access {

inline constexpr std::size_t providers_max = 8;

struct Provider {
    std::string name;      // unique; is_name()
    std::string issuer;    // the `iss` of its tokens; unique
    std::string audience;  // is in the `aud` of its tokens
    // Where its JSON Web Key Set is; one of the two is "". The file is read again when it changes.
    // The URL is https, or http on this machine.
    std::string key_set_file = {};
    std::string key_set_url = {};
    std::string key_set_ca_file = {};   // the CAs of the URL (PEM); "": those of the system
    std::string scope_claim = "scope";  // a text with blanks between the scopes, or a list
    std::string customer_claim = "customer_id";
    // The most that a token can have, whatever it claims.
    http::Scopes scopes{};
    bool operator==(const Provider&) const = default;
};

}  // namespace trackops::access
