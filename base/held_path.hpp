// The way to a file whose directory may belong to somebody else. A process that is more than those it starts (root, with
// --user) must not be led elsewhere: whoever owns a directory on the way could put a link there at any time. So the way
// is walked one directory at a time, and what is done to the file is done in the directory that was reached, by name.
#pragma once

#include <optional>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

#include "base/unique_fd.hpp"

namespace cppcorn {

enum class Links {
    followed,   // all of them, as the kernel does
    roots_only, // on the way: those of root's in directories that only root can change, such as /var/run; a file: none
};

struct FileOwner {
    uid_t uid = 0;
    gid_t gid = 0;
};

// What files of ours are opened with.
struct FileGuard {
    Links links = Links::followed;
    std::optional<FileOwner> owner; // of files that are made; nullopt: whoever makes them
};

// A directory that is held open, for *at() calls only (O_PATH), and a name in it. Nothing is said of what has that name.
struct HeldPath {
    UniqueFd directory;
    std::string name;
};

// Throws std::system_error: "<what>: No such file or directory". `what` is "cannot open …".
UniqueFd hold_directory(const std::string& path, Links links, const std::string& what);
// The directory that a file is in. Throws as above, and EISDIR for a path that names no file.
HeldPath hold_path(const std::string& path, Links links, const std::string& what);

// What has that name; a link itself, not what it leads to. Nullopt if nothing has.
std::optional<struct stat> status_at(int directory, const std::string& name);
// Whether the open file still has that name in that directory, and no other name anywhere.
bool is_only_name_of(int directory, const std::string& name, int file);

} // namespace cppcorn
