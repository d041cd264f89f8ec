// The reasons that OpenSSL gives for a failure.
#pragma once
#include <string>

namespace trackops::tls {

// Returns the reason of this thread's first failure since the last call, and forgets all of them.
std::string take_openssl_fault();

}  // namespace trackops::tls
