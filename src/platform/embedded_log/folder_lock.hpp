// A lock that lets one process use a folder.
#pragma once
#include <string>

namespace trackops::bus {

// Holds FOLDER/lock until the object is destroyed or the process ends in any way. Creates a missing
// folder.
class FolderLock {
public:
    // Throws std::runtime_error that names the folder when it is unusable or locked by another
    // process.
    explicit FolderLock(const std::string& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int file_ = -1;
};

}  // namespace trackops::bus
