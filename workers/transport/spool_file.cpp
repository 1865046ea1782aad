#include "workers/transport/spool_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t moved_piece = 64 * 1024;

UniqueFd make_named_file(const std::string& directory) {
    std::string name = directory + "/cppcorn-spool-XXXXXX";
    UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
    if (file.is_open()) ::unlink(name.c_str());
    return file;
}

// As overlay file systems say it, and kernels that do not know what is asked for.
bool is_lack_of_unnamed_files(int error) {
    return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

UniqueFd make_file(Spool& spool) {
    if (spool.lacks_unnamed_files) return make_named_file(spool.directory());
    UniqueFd file(::open(spool.directory().c_str(), O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (file.is_open() || !is_lack_of_unnamed_files(errno)) return file;
    spool.lacks_unnamed_files = true;
    return make_named_file(spool.directory());
}

UniqueFd make_memory() {
    return UniqueFd(::memfd_create("cppcorn-spool", MFD_CLOEXEC));
}

void log_failure(Spool& spool, int error) {
    if (!spool.note_failure(SteadyClock::now())) return;
    spdlog::warn("Cannot spool to {}: {}; up to {} MiB are kept in memory, and then slow clients hold the worker",
                 escaped(spool.directory()), std::strerror(error), Spool::usual_memory_limit >> 20U);
}

// 0, or what went wrong.
int write_at(int file, std::string_view first, std::string_view second, std::uint64_t offset) {
    while (!first.empty() || !second.empty()) {
        const iovec parts[2] = {{const_cast<char*>(first.data()), first.size()},
                                {const_cast<char*>(second.data()), second.size()}};
        const ssize_t written =
            retry_interrupted([&] { return ::pwritev(file, parts, 2, static_cast<off_t>(offset)); });
        if (written <= 0) return written < 0 ? errno : ENOSPC;
        const auto count = static_cast<std::size_t>(written);
        offset += count;
        const std::size_t of_first = std::min(count, first.size());
        first.remove_prefix(of_first);
        second.remove_prefix(count - of_first);
    }
    return 0;
}

} // namespace

std::unique_ptr<SpoolFile> SpoolFile::open(Spool& spool, std::uint64_t expected) {
    if (!spool.is_on()) return nullptr;
    UniqueFd file = make_file(spool);
    if (file.is_open()) return std::make_unique<SpoolFile>(spool, std::move(file), 0, expected);
    log_failure(spool, errno);
    file = make_memory();
    if (!file.is_open()) return nullptr;
    auto made = std::make_unique<SpoolFile>(spool, std::move(file), 0, 0);
    made->share_.move_to_memory();
    return made;
}

std::unique_ptr<SpoolFile> SpoolFile::adopt(Spool& spool, UniqueFd file, std::uint64_t size, std::uint64_t expected) {
    return std::make_unique<SpoolFile>(spool, std::move(file), size, expected);
}

void check_spool_directory(const std::string& directory, std::uint64_t limit) {
    Spool spool(directory, limit);
    if (!spool.is_on()) return;
    const std::string inside = spool.directory() + "/.";
    if (::faccessat(AT_FDCWD, inside.c_str(), W_OK | X_OK, AT_EACCESS) != 0) log_failure(spool, errno);
}

SpoolFile::SpoolFile(Spool& spool, UniqueFd file, std::uint64_t size, std::uint64_t expected)
    : spool_(spool), share_(spool, expected), file_(std::move(file)), size_(size) {
    share_.take_anyway(size);
}

SpoolFile::Result SpoolFile::append(std::string_view first, std::string_view second) {
    const std::uint64_t count = first.size() + second.size();
    if (!share_.take(count)) return share_.in_memory() ? Result::failed : Result::no_room;
    const int error = write_at(file_.get(), first, second, size_);
    if (error == 0) {
        size_ += count;
        return Result::done;
    }
    share_.give_back(count);
    if (share_.in_memory()) return Result::failed;
    log_failure(spool_, error);
    return move_to_memory() ? append(first, second) : Result::failed;
}

bool SpoolFile::move_to_memory() {
    UniqueFd memory = make_memory();
    if (!memory.is_open() || !share_.move_to_memory()) return false;
    std::vector<char> piece(moved_piece);
    for (std::uint64_t at = 0; at < size_;) {
        const std::int64_t got = read(piece.data(), std::min<std::uint64_t>(piece.size(), size_ - at), at);
        if (got <= 0 || write_at(memory.get(), {piece.data(), static_cast<std::size_t>(got)}, {}, at) != 0)
            return false;
        at += static_cast<std::uint64_t>(got);
    }
    file_ = std::move(memory);
    return true;
}

std::int64_t SpoolFile::read(char* buffer, std::size_t room, std::uint64_t offset) const {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room, size_ - std::min(size_, offset)));
    if (wanted == 0) return 0;
    const ssize_t got =
        retry_interrupted([&] { return ::pread(file_.get(), buffer, wanted, static_cast<off_t>(offset)); });
    if (got == 0) return -EIO; // somebody has cut it
    return got > 0 ? got : -errno;
}

} // namespace cppcorn
