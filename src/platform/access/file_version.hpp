// One version of the access file on the disk: its bytes, and by what a change is noticed.
#pragma once
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace trackops::access {

// The account that the file system gives of a file. Two versions of a file differ in it, save for
// two writes within one tick of the kernel's clock.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_at = 0;  // nanoseconds since 1970
    bool operator==(const FileStamp&) const = default;
};

struct FileVersion {
    std::string text;
    FileStamp stamp;
};

// Both follow symbolic links. Errors are Errc::unavailable and say what the system said.
Result<FileStamp> stamp_of(const std::string& path);
// Reads the whole file. Returns Errc::too_large if it has more than access_file_bytes_max.
Result<FileVersion> read_version(const std::string& path);

// Puts `text` in place of the file, or makes it: mode 0600, the owner of the file before. A reader
// finds the old text or the new one, also after a crash. Throws std::runtime_error with the reason.
void replace_file(const std::string& path, std::string_view text);

// Keeps other programs that use this class out of a file, until the end of this object.
class FileLock {
public:
    // Waits for the lock. The folder of the file must exist. Throws std::runtime_error.
    explicit FileLock(const std::string& path);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int folder_;
};

}  // namespace trackops::access
