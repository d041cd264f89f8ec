// The address of a client as text.
#pragma once
#include <string>

#include "platform/http/connection_slots.hpp"

namespace trackops::http {

// Returns "192.0.2.1" or "2001:db8::1".
std::string client_text(const ClientAddress& address);

}  // namespace trackops::http
