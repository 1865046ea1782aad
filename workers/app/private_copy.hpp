// A copy of a library that nobody but this program touches: what is loaded stays what it was, whatever happens to the
// original. It stands beside the original, as .cppcorn-HASH.NAME, so that $ORIGIN, debuggers and stack traces find what
// they look for; equal bytes have an equal name. All who use a copy hold a shared lock on it, and the last one to go
// removes it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <sys/stat.h>

#include "base/server_fd.hpp"

namespace cppcorn {

// Whether a file is still the one that it was, with the bytes that it had.
struct FileStamp {
    dev_t device = 0;
    ino_t number = 0;
    off_t size = 0;
    timespec modified{};
    timespec changed{};

    static FileStamp of(const struct stat& info);
    // nullopt if there is no such file.
    static std::optional<FileStamp> of(const std::string& path);
    bool operator==(const FileStamp& other) const;
};

// Valid in the process that made it; forks have the path only, and must not run the destructor.
class PrivateCopy {
  public:
    // `original`: an absolute path without links. In `directory`, which is entered without following a link. Removes
    // the copies there that nobody uses. Throws std::system_error if there can be no copy, FileChanges if the original
    // is being written.
    PrivateCopy(const std::string& original, const std::string& directory);
    PrivateCopy(PrivateCopy&&) = default;
    PrivateCopy& operator=(PrivateCopy&&) = delete;
    ~PrivateCopy();

    // Absolute. Changes with restore() at most.
    const std::string& path() const { return path_; }
    // Of the original, when it was copied.
    const FileStamp& original() const { return original_; }
    bool has_the_bytes_of(const std::string& path) const;

    // Makes it anew if somebody has removed it; where its directory is gone, in the one that
    // `spare_directory` returns. Throws as above.
    void restore(const std::function<std::string()>& spare_directory);

  private:
    void enter(const std::string& directory);
    bool is_there() const;
    FileStamp place(int source);
    bool take(const std::string& name, int source);
    void write(const std::string& name, int source);

    std::string base_; // the original's name
    std::string directory_;
    std::string path_;
    ServerFd folder_;
    ServerFd file_; // locked
    FileStamp original_;
};

struct FileChanges {};

// What a copy at `path` is a copy of, if it stands beside that; empty for what is no copy. Whether that file is still the
// same is not looked at.
std::string original_of_copy(const std::string& path);

} // namespace cppcorn
