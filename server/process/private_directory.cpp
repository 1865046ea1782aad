#include "server/process/private_directory.hpp"

#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

// Root's is entered by those that the workers of one master or another become; the copies in it have their own modes.
mode_t mode_of_ours() {
    return ::geteuid() == 0 ? 0711 : 0700;
}

bool lets_code_be_loaded(const std::string& path) {
    struct statvfs system {};
    return ::statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOEXEC) == 0;
}

// Empty if it cannot be used. One that was there before stays as it is.
std::string usable_directory(const std::string& path, bool for_another_user) {
    const bool is_there = ::access(path.c_str(), F_OK) == 0;
    if (!lets_code_be_loaded(is_there ? path : path.substr(0, path.rfind('/')))) return "";
    const bool is_made = ::mkdir(path.c_str(), 0700) == 0;
    const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!directory.is_open() || ::fstat(directory.get(), &info) != 0 || info.st_uid != ::geteuid()) return "";
    if (is_made && (::fchmod(directory.get(), mode_of_ours()) != 0 || ::fstat(directory.get(), &info) != 0)) return "";
    const bool is_shut = for_another_user && (info.st_mode & S_IXOTH) == 0;
    if (is_shut || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "";
    char* const real = ::realpath(path.c_str(), nullptr);
    std::string found = real == nullptr ? "" : real;
    std::free(real);
    return found;
}

std::string absolute_path_in(const char* variable) {
    const char* value = std::getenv(variable);
    return value == nullptr || value[0] != '/' ? "" : value;
}

} // namespace

std::string private_directory(bool for_another_user) {
    std::vector<std::string> candidates;
    // Another user cannot enter the one of our session.
    if (const auto session = absolute_path_in("XDG_RUNTIME_DIR"); !session.empty() && !for_another_user) {
        candidates.push_back(session + "/cppcorn-copies");
    }
    if (::geteuid() == 0) candidates.emplace_back("/run/cppcorn-copies");
    const auto temporary = absolute_path_in("TMPDIR");
    candidates.push_back(fmt::format("{}/cppcorn-{}", temporary.empty() ? "/tmp" : temporary, ::geteuid()));
    for (const auto& candidate : candidates) {
        if (auto found = usable_directory(candidate, for_another_user); !found.empty()) return found;
    }
    return "";
}

} // namespace cppcorn
