// One process a folder.
#pragma once
#include <string>

namespace trackops::bus {

// Holds FOLDER/lock (makes the folder when missing) until destroyed or the process ends, however it
// ends.
class FolderLock {
public:
    // Throws std::runtime_error naming the folder when it cannot be used, or somebody else uses it.
    explicit FolderLock(const std::string& folder);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    int file_ = -1;
};

}  // namespace trackops::bus
