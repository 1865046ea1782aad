#include "workers/app/app_libraries.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/unique_fd.hpp"
#include "workers/app/app_load_error.hpp"
#include "workers/app/elf_file.hpp"
#include "workers/app/elf_links.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t most_libraries = 256;

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

// Empty if there is no such file.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    return real == nullptr ? "" : real.get();
}

bool is_below(const std::string& path, const std::string& directory) {
    return directory != "/" && path.rfind(directory + "/", 0) == 0;
}

// As the loader does. nullopt if it has other variables, which stand for directories of the system.
std::optional<std::string> expand_origin(std::string text, const std::string& origin) {
    for (const std::string_view name : {"${ORIGIN}", "$ORIGIN"}) {
        for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += origin.size()) {
            text.replace(at, name.size(), origin);
        }
    }
    if (text.find('$') != std::string::npos) return std::nullopt;
    return text;
}

bool has_origin(std::string_view text) {
    return text.find("$ORIGIN") != std::string_view::npos || text.find("${ORIGIN}") != std::string_view::npos;
}

using Places = std::vector<std::string>; // directories

void add_places(Places& places, std::string_view run_path, const std::string& origin) {
    while (!run_path.empty()) {
        const std::size_t colon = run_path.find(':');
        const auto directory = expand_origin(std::string(run_path.substr(0, colon)), origin);
        run_path.remove_prefix(colon == std::string_view::npos ? run_path.size() : colon + 1);
        if (directory && !directory->empty()) places.push_back(*directory);
    }
}

// That the server has loaded itself: the loader takes that one for whoever asks by this name.
bool is_loaded_already(const std::string& name) {
    void* const library = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
    if (library != nullptr) ::dlclose(library);
    return library != nullptr;
}

// Walks from the app's library to those that it needs.
class Search {
  public:
    explicit Search(const std::string& app) : home_(directory_of(app)), wide_home_(directory_of(home_)) {}

    // Returns its place in the list. `inherited`: where those that have loaded it search, and let it search as well.
    std::size_t visit(const std::string& path, const UniqueFd& file, const Places& inherited);

    AppLibraries take() { return std::move(found_); }

  private:
    struct Found {
        std::string name; // as the loader asks for it
        std::string path;
    };
    std::optional<Found> find(const std::string& needed, const std::string& origin, const Places& places) const;
    std::optional<std::string> neighbour(const std::string& path) const;
    std::optional<std::size_t> place_of(const std::string& path) const;

    std::string home_;
    std::string wide_home_; // build/apps and build/lib are one build
    AppLibraries found_;
    std::vector<std::string> visited_; // one that needs itself in a roundabout way is not visited again
};

std::size_t Search::visit(const std::string& path, const UniqueFd& file, const Places& inherited) {
    visited_.push_back(path);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) throw std::system_error(errno, std::generic_category());
    const ElfLinks links = read_elf_links(file.get());
    found_.use_their_place = found_.use_their_place || has_origin(links.run_path) || links.asks_where_it_is;
    AppLibrary library{path, links.soname, {}, FileStamp::of(info)};

    const std::string origin = directory_of(path);
    Places own;
    add_places(own, links.run_path, origin);
    Places places;
    if (links.run_path.empty() || links.is_inherited) {
        places = own;
        places.insert(places.end(), inherited.begin(), inherited.end());
    }
    const char* const library_path = std::getenv("LD_LIBRARY_PATH");
    add_places(places, library_path == nullptr ? "" : library_path, origin);
    if (!links.is_inherited) places.insert(places.end(), own.begin(), own.end());
    Places handed_on = links.is_inherited ? own : Places{};
    handed_on.insert(handed_on.end(), inherited.begin(), inherited.end());

    for (const auto& needed : links.needed) {
        const auto neighbour = find(needed, origin, places);
        if (!neighbour) continue;
        auto at = place_of(neighbour->path);
        if (!at && visited_.size() < most_libraries &&
            std::find(visited_.begin(), visited_.end(), neighbour->path) == visited_.end()) {
            const UniqueFd its_file(::open(neighbour->path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
            if (its_file.is_open()) at = visit(neighbour->path, its_file, handed_on);
        }
        if (at) library.needs.push_back({neighbour->name, *at});
    }
    found_.build_id = links.build_id; // of the last to be through, which is the app's
    found_.list.push_back(std::move(library));
    return found_.list.size() - 1;
}

std::optional<Search::Found> Search::find(const std::string& needed, const std::string& origin,
                                          const Places& places) const {
    if (needed.empty()) return std::nullopt;
    if (needed.find('/') != std::string::npos) {
        const auto name = expand_origin(needed, origin);
        const auto path = name ? neighbour(*name) : std::nullopt;
        return path ? std::optional(Found{*name, *path}) : std::nullopt;
    }
    if (is_loaded_already(needed)) return std::nullopt;
    for (const auto& place : places) {
        const std::string path = place + "/" + needed;
        if (::access(path.c_str(), F_OK) != 0) continue;
        const auto found = neighbour(path);
        return found ? std::optional(Found{needed, *found}) : std::nullopt; // the loader takes the first
    }
    return std::nullopt;
}

// The real path of a library that is one of the app's.
std::optional<std::string> Search::neighbour(const std::string& path) const {
    const std::string real = real_path(path);
    struct stat info {};
    if (real.empty() || ::stat(real.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    if (!is_below(real, home_) && !is_below(real, wide_home_)) return std::nullopt;
    const UniqueFd file(::open(real.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.is_open()) return std::nullopt;
    const ElfFile elf = read_elf(file.get(), "cppcorn_");
    const bool is_library = elf.kind == ElfKind::shared_library && elf.is_native && !elf.is_truncated;
    return is_library ? std::optional(real) : std::nullopt;
}

std::optional<std::size_t> Search::place_of(const std::string& path) const {
    const auto found = std::find_if(found_.list.begin(), found_.list.end(),
                                    [&](const AppLibrary& library) { return library.path == path; });
    if (found == found_.list.end()) return std::nullopt;
    return static_cast<std::size_t>(found - found_.list.begin());
}

} // namespace

AppLibraries find_libraries(const std::string& path) {
    const std::string real = real_path(path);
    const UniqueFd file(::open(real.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const int error = errno;
    try {
        if (!file.is_open()) throw std::system_error(error, std::generic_category());
        Search search(real);
        search.visit(real, file, {});
        return search.take();
    } catch (const std::system_error& failure) {
        throw AppLoadError(fmt::format("{}: cannot be read: {}", escaped(path), failure.code().message()));
    }
}

} // namespace cppcorn
