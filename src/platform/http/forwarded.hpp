// Takes the client and the host from the headers of proxies in front: X-Forwarded-For and
// X-Forwarded-Host, or Forwarded (RFC 7239). Pure.
#pragma once
#include <span>

#include "platform/http/client_address.hpp"
#include "platform/http/message.hpp"

namespace trackops::http {

// Sets RequestContext::client, RequestContext::is_secure and the header `host` to what the proxies
// in front say, if RequestContext::client is one of `trusted`; otherwise nothing changes, whatever
// the headers say.
// The client is the last address in the list that is no trusted proxy. An entry that is no address
// ends the list: the proxy that took it is the client. Forwarded counts where both are given.
void believe_proxies(Request& request, std::span<const Network> trusted);

}  // namespace trackops::http
