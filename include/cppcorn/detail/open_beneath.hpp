// Opens files below a directory, and never outside of it, whatever links and dots a path has.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(SYS_openat2) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

// Owns an open descriptor, or -1. Move-only.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() {
        const int before = errno; // a reason that the caller is about to read
        if (number_ >= 0) ::close(number_);
        errno = before;
    }

    int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }

  private:
    int number_;
};

// O_NONBLOCK: a named pipe without a writer is not waited for.
constexpr int open_to_read = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// Opens what the path names below `root` in one step of the kernel's. An absolute link gives EXDEV, wherever it leads.
// ENOSYS before Linux 5.6; EPERM where a sandbox does not know the call; EAGAIN when somebody renames directories.
inline int open_in_one_step([[maybe_unused]] int root, [[maybe_unused]] const std::string& path) {
#ifdef RESOLVE_BENEATH
    open_how how{};
    how.flags = open_to_read;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how));
#else
    errno = ENOSYS;
    return -1;
#endif
}

// Opens a path that has neither links nor dots, name by name: a link that somebody puts there meanwhile is not followed.
inline int open_without_links(int root, std::string_view path) {
    Descriptor directory;
    for (;;) {
        const int from = directory.get() >= 0 ? directory.get() : root;
        const auto slash = path.find('/');
        const std::string name(path.substr(0, slash));
        if (slash == std::string_view::npos) return ::openat(from, name.c_str(), open_to_read | O_NOFOLLOW);
        Descriptor next(::openat(from, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (next.get() < 0) return -1;
        directory = std::move(next);
        path.remove_prefix(slash + 1);
    }
}

// The same in two steps, which also follows absolute links: finds the real path, then opens it if it is below `root`.
inline int open_in_two_steps(int root, const std::string& root_path, const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath((root_path + '/' + path).c_str(), nullptr), std::free);
    if (real == nullptr) return -1;
    std::string_view within(real.get());
    if (within == root_path) return ::openat(root, ".", open_to_read);
    const std::string start = root_path == "/" ? root_path : root_path + '/';
    if (!within.starts_with(start)) {
        errno = EXDEV;
        return -1;
    }
    return open_without_links(root, within.substr(start.size()));
}

// Opens a file or directory for reading. `root_path` is a real path, as realpath() gives it; `path` is relative to it.
// A descriptor, or -1 and errno; EXDEV: the path leads out.
inline Descriptor open_beneath(const std::string& root_path, const std::string& path) {
    const Descriptor root(::open(root_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) return Descriptor();
    const int file = open_in_one_step(root.get(), path);
    const bool is_to_be_tried_again = errno == EXDEV || errno == ENOSYS || errno == EPERM || errno == EAGAIN;
    if (file >= 0 || !is_to_be_tried_again) return Descriptor(file);
    return Descriptor(open_in_two_steps(root.get(), root_path, path));
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
