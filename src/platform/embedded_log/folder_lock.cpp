#include "platform/embedded_log/folder_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace trackops::bus {

FolderLock::FolderLock(const std::string& folder) {
    const auto refuse = [&](int error) {
        return std::runtime_error(fmt::format("bus: cannot use the folder {}: {}", folder,
                                              std::generic_category().message(error)));
    };
    std::error_code made;
    std::filesystem::create_directories(folder, made);
    if (made) throw refuse(made.value());
    file_ = ::open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) throw refuse(errno);
    if (::flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    const int error = errno;
    ::close(file_);
    if (error != EWOULDBLOCK) throw refuse(error);
    throw std::runtime_error(
        fmt::format("bus: the folder {} is in use by another process", folder));
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace trackops::bus
