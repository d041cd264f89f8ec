#include "platform/access/file_version.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "platform/access/access_file.hpp"

namespace trackops::access {
namespace {

constexpr mode_t owner_only = 0600;

std::string reason() { return std::generic_category().message(errno); }

[[noreturn]] void raise(std::string_view what, const std::string& path) {
    throw std::runtime_error(fmt::format("cannot {} {}: {}", what, path, reason()));
}

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    bool is_open() const { return descriptor_ >= 0; }
    int get() const { return descriptor_; }

private:
    int descriptor_;
};

FileStamp stamp_of(const struct stat& status) {
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .size = status.st_size,
            .modified_at =
                std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

void write_all(const File& file, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) raise("write", path);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

// The file may belong to the user of a service, who must be able to read the new one, too.
void keep_owner(const File& file, const std::string& path) {
    struct stat before{};
    struct stat now{};
    if (::stat(path.c_str(), &before) != 0 || ::fstat(file.get(), &now) != 0) return;
    if (before.st_uid == now.st_uid && before.st_gid == now.st_gid) return;
    if (::fchown(file.get(), before.st_uid, before.st_gid) != 0) raise("keep the owner of", path);
}

}  // namespace

Result<FileStamp> stamp_of(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return fail(Errc::unavailable, reason());
    return stamp_of(status);
}

Result<FileVersion> read_version(const std::string& path) {
    const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file.is_open() || ::fstat(file.get(), &status) != 0)
        return fail(Errc::unavailable, reason());
    FileVersion version{.text = {}, .stamp = stamp_of(status)};
    std::string piece(64 * 1024, '\0');
    for (;;) {
        const ssize_t got = ::read(file.get(), piece.data(), piece.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(Errc::unavailable, reason());
        if (got == 0) return version;
        version.text.append(piece, 0, static_cast<std::size_t>(got));
        if (version.text.size() > access_file_bytes_max)
            return fail(Errc::too_large,
                        fmt::format("has more than {} KiB", access_file_bytes_max / 1024));
    }
}

void replace_file(const std::string& path, std::string_view text) {
    const std::string fresh = fmt::format("{}.new.{}", path, ::getpid());
    ::unlink(fresh.c_str());  // of a process that had this number before
    const File file(
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, owner_only));
    if (!file.is_open()) raise("write", fresh);
    try {
        keep_owner(file, path);
        write_all(file, text, fresh);
        if (::fsync(file.get()) != 0) raise("write", fresh);
        if (::rename(fresh.c_str(), path.c_str()) != 0) raise("replace", path);
    } catch (const std::exception&) {
        ::unlink(fresh.c_str());
        throw;
    }
    const File folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || ::fsync(folder.get()) != 0) raise("write the folder of", path);
}

FileLock::FileLock(const std::string& path)
    : folder_(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (folder_ < 0) raise("open the folder of", path);
    while (::flock(folder_, LOCK_EX) != 0) {
        if (errno == EINTR) continue;
        ::close(folder_);
        raise("lock the folder of", path);
    }
}

FileLock::~FileLock() { ::close(folder_); }

}  // namespace trackops::access
