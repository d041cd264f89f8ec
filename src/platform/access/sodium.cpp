#include "platform/access/sodium.hpp"

#include <stdexcept>

#include <sodium/core.h>

namespace trackops::access {

void start_sodium() {
    static const bool is_ready = sodium_init() >= 0;
    if (!is_ready) throw std::runtime_error("libsodium finds no source of randomness");
}

}  // namespace trackops::access
