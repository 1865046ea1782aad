#include "workers/app/app_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/unique_fd.hpp"
#include "workers/app/app_module.hpp"
#include "workers/app/elf_file.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view app_prefix = CPPCORN_APP_SYMBOL_PREFIX;
constexpr std::string_view info_symbol = CPPCORN_MODULE_INFO_SYMBOL;
constexpr std::string_view own_prefix = "cppcorn_";
constexpr std::size_t max_listed = 20; // names in a message

[[noreturn]] void fail(const std::string& path, std::string_view what) {
    throw AppLoadError(escaped(path).append(what));
}

UniqueFd open_regular(const std::string& path, const std::string& name) {
    // Not to wait for the other end, should it be a pipe.
    UniqueFd file(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.is_open()) fail(path, fmt::format(": cannot be read: {}", std::generic_category().message(errno)));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail(path, ": cannot be looked at");
    if (S_ISDIR(status.st_mode)) fail(path, " is a directory, not a shared library");
    if (!S_ISREG(status.st_mode)) fail(path, " is not a regular file");
    if (status.st_size == 0) fail(path, " is empty, not a shared library");
    return file;
}

[[noreturn]] void fail_not_elf(const std::string& path, const UniqueFd& file) {
    std::array<char, 8> start{};
    const ssize_t count = ::pread(file.get(), start.data(), start.size(), 0);
    const std::string_view seen(start.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    if (seen.substr(0, 2) == "#!") fail(path, " is a script, not a shared library");
    if (seen == "!<arch>\n" || seen == "!<thin>\n") {
        fail(path, " is a static library, not a shared one; link it into one (cppcorn_add_app does)");
    }
    fail(path, " is not a shared library (it is not an ELF file)");
}

void check_kind(const std::string& path, const ElfFile& elf) {
    if (elf.kind == ElfKind::unknown && elf.is_truncated) fail(path, " is truncated; build or copy it again");
    if (!elf.is_native && !elf.machine.empty() && elf.machine != native_machine()) {
        fail(path, fmt::format(": built for {}; this server is {}", elf.machine, native_machine()));
    }
    if (!elf.is_native) fail(path, fmt::format(": built for another kind of {} than this server", native_machine()));
    if (elf.is_truncated) fail(path, " is truncated; build or copy it again");
    if (elf.kind == ElfKind::executable) {
        fail(path, " is an executable, not a shared library; build it with cppcorn_add_app, or link it with -shared");
    }
    if (elf.kind == ElfKind::object) fail(path, " is an object file, not a shared library; link it with -shared");
    if (elf.kind != ElfKind::shared_library) fail(path, " is not a shared library");
}

bool has_symbol(const ElfFile& elf, std::string_view name) {
    return std::find(elf.symbols.begin(), elf.symbols.end(), name) != elf.symbols.end();
}

std::string list_apps(const ElfFile& elf) {
    std::vector<std::string> names;
    for (const std::string& symbol : elf.symbols) {
        if (symbol.rfind(app_prefix, 0) == 0) names.push_back(escaped(symbol.substr(app_prefix.size())));
    }
    std::sort(names.begin(), names.end());
    const std::size_t listed = std::min(names.size(), max_listed);
    std::string list;
    for (std::size_t i = 0; i < listed; ++i) list += (i == 0 ? "" : ", ") + names[i];
    return list + (names.size() > listed ? ", ..." : "");
}

} // namespace

void check_app_file(const std::string& path, const std::string& file_name, const std::string& name) {
    const UniqueFd file = open_regular(path, file_name);
    ElfFile elf;
    try {
        elf = read_elf(file.get(), own_prefix);
    } catch (const std::system_error& error) {
        fail(path, fmt::format(": {}", error.what()));
    }
    if (elf.kind == ElfKind::not_elf) fail_not_elf(path, file);
    check_kind(path, elf);
    if (!elf.symbols_known) return; // the loader will find out
    if (!has_symbol(elf, info_symbol)) fail(path, " is a shared library but not a cppcorn app");
    if (has_symbol(elf, fmt::format("{}{}", app_prefix, name))) return;
    const std::string apps = list_apps(elf);
    if (apps.empty()) fail(path, fmt::format(" has no app '{}'; it defines none", name));
    fail(path, fmt::format(" has no app '{}'; it defines: {}", name, apps));
}

} // namespace cppcorn
