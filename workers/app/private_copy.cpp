#include "workers/app/private_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t block_size = 256 * 1024;
constexpr int most_tries = 4;
constexpr std::size_t longest_base = 200; // of the file's name, which has 255 in all
constexpr std::string_view prefix = ".cppcorn-";
constexpr std::size_t hash_digits = 16;

struct stat look_at(int fd) {
    struct stat info {};
    check(::fstat(fd, &info), "cannot look at the file");
    return info;
}

std::size_t read_at(int fd, char* to, std::size_t size, off_t at) {
    std::size_t taken = 0;
    while (taken < size) {
        const auto count =
            retry_interrupted([&] { return ::pread(fd, to + taken, size - taken, at + static_cast<off_t>(taken)); });
        check(count, "cannot read the file");
        if (count == 0) break;
        taken += static_cast<std::size_t>(count);
    }
    return taken;
}

// Calls use(bytes, position) for each block of the file until it answers false.
template <class Use>
void for_each_block(int fd, const Use& use) {
    std::vector<char> block(block_size);
    for (off_t at = 0;;) {
        const std::size_t size = read_at(fd, block.data(), block.size(), at);
        if (size == 0 || !use(std::string_view(block.data(), size), at)) return;
        at += static_cast<off_t>(size);
    }
}

// It names copies; that two files are equal is found out by comparing them.
std::uint64_t hash_of(int fd) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for_each_block(fd, [&](std::string_view bytes, off_t) {
        for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data() + at, std::min(sizeof word, bytes.size() - at));
            hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
            hash ^= hash >> 32;
        }
        return true;
    });
    return hash;
}

bool are_equal(int one, int other) {
    if (look_at(one).st_size != look_at(other).st_size) return false;
    std::vector<char> block(block_size);
    bool equal = true;
    for_each_block(one, [&](std::string_view bytes, off_t at) {
        const std::size_t size = read_at(other, block.data(), bytes.size(), at);
        equal = bytes == std::string_view(block.data(), size);
        return equal;
    });
    return equal;
}

// Each part of the path is a directory and not a link, whoever may write where.
UniqueFd open_directory(const std::string& path) {
    UniqueFd directory(check(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open /"));
    std::string_view rest = path;
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        const std::string part(rest.substr(0, slash));
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (part.empty()) continue;
        directory.reset(check(::openat(directory.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                              "cannot open the directory ", path));
    }
    return directory;
}

UniqueFd open_in(int directory, const std::string& name) {
    return UniqueFd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

UniqueFd open_original(const std::string& path) {
    const UniqueFd directory = open_directory(directory_of(path));
    UniqueFd file(check(open_in(directory.get(), path.substr(path.rfind('/') + 1)).release(), "cannot open ", path));
    if (!S_ISREG(look_at(file.get()).st_mode)) throw_system_error("cannot copy " + path, EINVAL);
    return file;
}

// Of a copy. Who runs the app must be able to read it, as they can the original.
mode_t mode_of(const struct stat& original) {
    const bool is_ours = ::geteuid() != 0 || original.st_uid == 0;
    return (original.st_mode & 0777) | (is_ours ? S_IRUSR : 0);
}

// Whoever owns it could change it: that must be nobody who could not change the original.
bool is_trusted(const struct stat& copy, const struct stat& original) {
    const bool has_owner = copy.st_uid == 0 || copy.st_uid == ::geteuid() || copy.st_uid == original.st_uid;
    return S_ISREG(copy.st_mode) && has_owner && (copy.st_mode & 0777) == mode_of(original);
}

bool is_name_of_copy(std::string_view name) {
    if (name.substr(0, prefix.size()) != prefix) return false;
    return name.substr(prefix.size()).find_first_not_of("0123456789abcdef") == hash_digits &&
           name[prefix.size() + hash_digits] == '.';
}

bool has_file(int directory, const std::string& name, const struct stat& file) {
    struct stat found {};
    return ::fstatat(directory, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && found.st_dev == file.st_dev &&
           found.st_ino == file.st_ino;
}

void remove_if_unused(int directory, const std::string& name, int file) {
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) return;
    struct stat info {};
    if (::fstat(file, &info) == 0 && has_file(directory, name, info)) ::unlinkat(directory, name.c_str(), 0);
}

// Of masters that were killed.
void remove_unused_copies(int directory) {
    DIR* const listing = ::fdopendir(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (listing == nullptr) return;
    while (const dirent* entry = ::readdir(listing)) {
        if (!is_name_of_copy(entry->d_name)) continue;
        const UniqueFd file = open_in(directory, entry->d_name);
        if (file.is_open()) remove_if_unused(directory, entry->d_name, file.get());
    }
    ::closedir(listing);
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = retry_interrupted([&] { return ::write(fd, bytes.data(), bytes.size()); });
        check(count, "cannot write the copy");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

} // namespace

FileStamp FileStamp::of(const struct stat& info) {
    return {info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim};
}

std::optional<FileStamp> FileStamp::of(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return std::nullopt;
    return of(info);
}

bool FileStamp::operator==(const FileStamp& other) const {
    const auto same_time = [](const timespec& one, const timespec& two) {
        return one.tv_sec == two.tv_sec && one.tv_nsec == two.tv_nsec;
    };
    return device == other.device && number == other.number && size == other.size &&
           same_time(modified, other.modified) && same_time(changed, other.changed);
}

PrivateCopy::PrivateCopy(const std::string& original, const std::string& directory)
    : base_(original.substr(original.rfind('/') + 1).substr(0, longest_base)) {
    const UniqueFd source = open_original(original);
    enter(directory);
    original_ = place(source.get());
    remove_unused_copies(folder_.get());
}

PrivateCopy::~PrivateCopy() {
    if (file_.is_open()) remove_if_unused(folder_.get(), path_.substr(path_.rfind('/') + 1), file_.get());
}

bool PrivateCopy::has_the_bytes_of(const std::string& path) const {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    return file.is_open() && are_equal(file_.get(), file.get());
}

void PrivateCopy::restore(const std::function<std::string()>& spare_directory) {
    if (is_there()) return;
    const UniqueFd source(check(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0), "cannot keep the copy of ", base_));
    try {
        enter(directory_);
        place(source.get());
    } catch (const std::system_error&) {
        const std::string spare = spare_directory ? spare_directory() : "";
        if (spare.empty()) throw;
        enter(spare);
        place(source.get());
    }
}

void PrivateCopy::enter(const std::string& directory) {
    folder_ = open_directory(directory);
    directory_ = directory;
}

// By its path: the directory may have been moved away.
bool PrivateCopy::is_there() const {
    struct stat info {};
    return ::fstat(file_.get(), &info) == 0 && has_file(AT_FDCWD, path_, info);
}

// Returns the stamp of the source, of which the copy has all the bytes.
FileStamp PrivateCopy::place(int source) {
    bool has_changed = false;
    for (int tries = 0; tries < most_tries; ++tries) {
        const FileStamp stamp = FileStamp::of(look_at(source));
        const std::string name = fmt::format("{}{:016x}.{}", prefix, hash_of(source), base_);
        const bool is_taken = take(name, source) || (write(name, source), take(name, source));
        if (!(FileStamp::of(look_at(source)) == stamp)) {
            has_changed = true;
        } else if (is_taken) {
            path_ = (directory_ == "/" ? "" : directory_) + "/" + name;
            return stamp;
        }
    }
    if (has_changed) throw FileChanges{};
    // There are file systems that take each owner and mode, and have others.
    remove_unused_copies(folder_.get());
    throw_system_error("the copy of " + base_ + " does not keep owner or mode in " + directory_, EPERM);
}

// Whether the file of that name is a copy of the source; it is ours as well, then.
bool PrivateCopy::take(const std::string& name, int source) {
    UniqueFd file = open_in(folder_.get(), name);
    if (!file.is_open() || !is_trusted(look_at(file.get()), look_at(source))) return false;
    // Whoever has it locked is about to remove it. Some file systems know no locks: what is not removed stays.
    if (::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
    if (!has_file(folder_.get(), name, look_at(file.get())) || !are_equal(file.get(), source)) return false;
    file_ = std::move(file);
    return true;
}

// Under another name first, so that nobody ever finds half of it.
void PrivateCopy::write(const std::string& name, int source) {
    std::uint64_t random = 0;
    [[maybe_unused]] const auto ignored = ::getrandom(&random, sizeof random, GRND_NONBLOCK);
    const std::string draft = fmt::format("{}.{:x}{:016x}", name, ::getpid(), random);
    const UniqueFd file(
        check(::openat(folder_.get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600),
              "cannot make a copy of ", base_, " in ", directory_));
    ::flock(file.get(), LOCK_SH | LOCK_NB);
    try {
        for_each_block(source, [&](std::string_view bytes, off_t) {
            write_all(file.get(), bytes);
            return true;
        });
        const struct stat info = look_at(source);
        // For somebody who is not root the group may be none of theirs. They run the app themselves, and own the copy.
        const bool is_given = ::fchown(file.get(), ::geteuid() == 0 ? info.st_uid : -1u, info.st_gid) == 0;
        if (!is_given && ::geteuid() == 0) throw_system_error("cannot give away the copy of " + base_);
        check(::fchmod(file.get(), mode_of(info)), "cannot set the mode of the copy of ", base_);
        check(::renameat(folder_.get(), draft.c_str(), folder_.get(), name.c_str()), "cannot name the copy of ", base_);
    } catch (const std::system_error&) {
        ::unlinkat(folder_.get(), draft.c_str(), 0);
        throw;
    }
}

std::string original_of_copy(const std::string& path) {
    const auto name_at = path.rfind('/') + 1;
    if (!is_name_of_copy(path.substr(name_at))) return "";
    return path.substr(0, name_at) + path.substr(name_at + prefix.size() + hash_digits + 1);
}

} // namespace cppcorn
