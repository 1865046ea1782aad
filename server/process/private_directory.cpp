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

// Empty if it cannot be used.
std::string usable_directory(const std::string& path, bool for_another_user) {
    ::mkdir(path.c_str(), 0700);
    const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    struct statvfs system {};
    if (!directory.is_open() || ::fstat(directory.get(), &info) != 0 || info.st_uid != ::geteuid()) return "";
    if (::fchmod(directory.get(), for_another_user ? 0711 : 0700) != 0) return "";
    if (::fstatvfs(directory.get(), &system) != 0 || (system.f_flag & ST_NOEXEC) != 0) return "";
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
        candidates.push_back(session + "/cppcorn");
    }
    if (::geteuid() == 0) candidates.emplace_back("/run/cppcorn");
    const auto temporary = absolute_path_in("TMPDIR");
    candidates.push_back(fmt::format("{}/cppcorn-{}", temporary.empty() ? "/tmp" : temporary, ::geteuid()));
    for (const auto& candidate : candidates) {
        if (auto found = usable_directory(candidate, for_another_user); !found.empty()) return found;
    }
    return "";
}

} // namespace cppcorn
