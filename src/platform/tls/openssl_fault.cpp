#include "platform/tls/openssl_fault.hpp"

#include <openssl/err.h>

namespace trackops::tls {

std::string take_openssl_fault() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "the connection was lost" : reason;
}

}  // namespace trackops::tls
