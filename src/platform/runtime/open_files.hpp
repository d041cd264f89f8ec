// The limit of open files (sockets included) of this process.
#pragma once
#include <cstdint>

namespace trackops::runtime {

// Raises the soft limit (ulimit -n) to the hard limit, and returns the limit that then holds;
// UINT64_MAX if there is none. The usual soft limit of 1024 is made for select(), which nothing
// here uses. Keeps the soft limit if the kernel refuses.
std::uint64_t raise_open_files_max();

}  // namespace trackops::runtime
