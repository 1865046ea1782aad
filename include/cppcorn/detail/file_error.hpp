// Why a file cannot be served, in the terms of HTTP. Pure functions: for any thread.
#pragma once

#include <cerrno>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

// Whose fault an errno of opening a file is.
enum class FileError {
    missing,   // the path's: there is no such file, or nothing that is a file
    forbidden, // the file's: it is not for this process
    exhausted, // the moment's: descriptors or memory have run out, or somebody holds the file
    broken,    // the machine's
};

constexpr FileError classify_file_error(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG: // no file has such a name
        case ELOOP:        // links that lead nowhere
        case EXDEV:        // links that lead out of where they may lead
        case EISDIR:
        case EINVAL: // a device, a pipe
        case ENXIO:  // a socket, or a device that is not there
        case ENODEV:
            return FileError::missing;
        case EACCES:
        case EPERM:
            return FileError::forbidden;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EAGAIN: // a lease on the file is being taken back
        case EINTR:
            return FileError::exhausted;
        default:
            return FileError::broken;
    }
}

constexpr int status_of_file_error(int error) {
    switch (classify_file_error(error)) {
        case FileError::missing:
            return 404;
        case FileError::forbidden:
            return 403;
        case FileError::exhausted:
            return 503;
        case FileError::broken:
            break;
    }
    return 500;
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
