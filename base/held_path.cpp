#include "base/held_path.hpp"

#include <cerrno>
#include <climits>
#include <vector>

#include <fcntl.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

constexpr int most_links = 40; // as the kernel
constexpr uid_t root = 0;

struct stat status_of(int fd, const std::string& what) {
    struct stat status {};
    check(::fstat(fd, &status), what);
    return status;
}

bool others_may_write(const struct stat& directory) {
    return directory.st_uid != root || (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

// In a directory such as /tmp, others may write, but not take away what is root's.
bool keeps_what_is_roots(const struct stat& directory) {
    return !others_may_write(directory) || (directory.st_mode & S_ISVTX) != 0;
}

// A walk from directory to directory. Whether others could have led it here is remembered on the way.
class Walk {
  public:
    Walk(const std::string& path, const std::string& what) : what_(what) {
        if (path.substr(0, 1) == "/") {
            go_to_root();
        } else {
            // Whoever made that the current directory has answered for it.
            enter(UniqueFd(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), what_)));
            is_roots_ = is_roots_ && keeps_what_is_roots(status_);
            walked_ = ".";
        }
        push(path);
    }

    UniqueFd finish() {
        while (!steps_.empty()) {
            const std::string step = std::move(steps_.back());
            steps_.pop_back();
            take(step);
        }
        return std::move(here_);
    }

  private:
    void push(const std::string& path) {
        std::size_t end = path.size();
        while (end != std::string::npos && end > 0) {
            const std::size_t slash = path.rfind('/', end - 1);
            const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
            if (end > begin) steps_.push_back(path.substr(begin, end - begin));
            end = slash;
        }
    }

    void go_to_root() {
        is_roots_ = true;
        enter(UniqueFd(check(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), what_)));
    }

    void enter(UniqueFd next) {
        status_ = status_of(next.get(), what_);
        is_roots_ = is_roots_ && status_.st_uid == root;
        here_ = std::move(next);
    }

    void take(const std::string& step) {
        walked_ += "/" + step;
        UniqueFd next(check(::openat(here_.get(), step.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC), what_));
        const struct stat status = status_of(next.get(), what_);
        if (S_ISLNK(status.st_mode)) return follow(next.get(), status);
        if (!S_ISDIR(status.st_mode)) throw_system_error(what_, ENOTDIR);
        is_roots_ = is_roots_ && keeps_what_is_roots(status_);
        enter(std::move(next));
    }

    void follow(int link, const struct stat& status) {
        if (!is_roots_ || status.st_uid != root || others_may_write(status_)) {
            throw_system_error(what_ + ", as " + walked_ + " is a link that others could change", EPERM);
        }
        if (++links_ > most_links) throw_system_error(what_, ELOOP);
        char target[PATH_MAX];
        const auto size = check(::readlinkat(link, "", target, sizeof target), what_);
        const std::string path(target, static_cast<std::size_t>(size));
        if (path.substr(0, 1) == "/") go_to_root();
        push(path);
    }

    const std::string& what_;
    std::vector<std::string> steps_; // the next one last
    std::string walked_;             // for messages
    UniqueFd here_;
    struct stat status_ {}; // of here_
    bool is_roots_ = true;  // nobody but root could have led it here
    int links_ = 0;
};

} // namespace

UniqueFd hold_directory(const std::string& path, Links links, const std::string& what) {
    if (links == Links::roots_only) return Walk(path, what).finish();
    return UniqueFd(check(::open(path.empty() ? "." : path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), what));
}

HeldPath hold_path(const std::string& path, Links links, const std::string& what) {
    const std::size_t slash = path.rfind('/');
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") throw_system_error(what, EISDIR);
    const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    return {hold_directory(directory, links, what), std::move(name)};
}

std::optional<struct stat> status_at(int directory, const std::string& name) {
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
    return status;
}

bool is_only_name_of(int directory, const std::string& name, int file) {
    struct stat open_file {};
    const auto named = status_at(directory, name);
    return named && ::fstat(file, &open_file) == 0 && named->st_dev == open_file.st_dev &&
           named->st_ino == open_file.st_ino && named->st_nlink == 1;
}

} // namespace cppcorn
