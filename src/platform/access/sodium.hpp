// The start of libsodium.
#pragma once

namespace trackops::access {

// Makes libsodium ready for randomness and passwords. Call it before either; it does its work once.
// Throws std::runtime_error if the kernel has no randomness. Thread-safe.
void start_sodium();

}  // namespace trackops::access
