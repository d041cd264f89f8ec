// The one mask of the passwords in URLs.
#pragma once
#include <string>
#include <string_view>

namespace trackops::url {

// Returns whether a parameter of this name (already decoded) carries a secret: password,
// sslpassword, token, but not passwordFile or passfile, which name a file.
bool is_secret_parameter(std::string_view name);

// Returns the text with ****** in place of a password before the host and of each secret parameter.
// Masks too much rather than too little: text that is no URL becomes ****** as a whole, and so does
// all of a malformed URL that may be part of a password. sqlite:FILE and embedded:DIR hold none.
std::string masked(std::string_view text);

// Returns whether the text is a URL that carries a password, either before its host or as a
// parameter. True for text with an @ that may belong to a password.
bool holds_password(std::string_view text);

}  // namespace trackops::url
