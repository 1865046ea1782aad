#include "workers/app/app_search.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/log/escape.hpp"
#include "workers/app/app_load_error.hpp"

namespace cppcorn {
namespace {

constexpr std::array<std::string_view, 7> source_endings{".cpp", ".cc", ".cxx", ".c", ".hpp", ".h", ".rs"};

bool ends_with(std::string_view text, std::string_view ending) {
    return text.size() > ending.size() && text.substr(text.size() - ending.size()) == ending;
}

bool is_source_name(std::string_view name) {
    for (const std::string_view ending : source_endings) {
        if (ends_with(name, ending)) return true;
    }
    return false;
}

std::string source_message(std::string_view path) {
    return fmt::format("{} is source; build it first: cmake --build build", escaped(path));
}

// 0 if there is something at `path`, whatever it is: what is wrong with it is said when it is loaded.
int probe(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? 0 : errno;
}

std::vector<std::string> directories_of(const std::vector<std::string>& app_dirs, const std::string& app_path) {
    std::vector<std::string> directories = app_dirs;
    std::string_view rest = app_path;
    while (!rest.empty()) {
        const std::size_t colon = rest.find(':');
        directories.emplace_back(rest.substr(0, colon));
        rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    }
    directories.emplace_back(".");
    return directories;
}

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string joined(std::string directory, std::string_view name) {
    if (directory.back() != '/') directory += '/';
    return directory.append(name);
}

void add_once(std::vector<std::string>& list, std::string item) {
    for (const std::string& present : list) {
        if (present == item) return;
    }
    list.push_back(std::move(item));
}

std::vector<std::string> candidates_of(const std::string& module, const std::vector<std::string>& directories) {
    std::vector<std::string> candidates;
    for (const std::string& directory : directories) {
        if (directory.empty()) continue; // of "a::b"; it is no other name for the current directory here
        add_once(candidates, joined(directory, module + ".so"));
        add_once(candidates, joined(directory, "lib" + module + ".so"));
    }
    return candidates;
}

// Of a path that may lack its ending: "c/counter" is c/counter, c/counter.so or c/libcounter.so.
std::vector<std::string> candidates_of_path(const std::string& path) {
    const std::size_t name = path.rfind('/') + 1;
    std::vector<std::string> candidates;
    if (!is_directory(path)) candidates.push_back(path);
    if (name == path.size()) return candidates;
    candidates.push_back(path + ".so");
    candidates.push_back(path.substr(0, name) + "lib" + path.substr(name) + ".so");
    return candidates;
}

// What the operator probably wants to know, as "; ..."; empty if nothing comes to mind. `stem` is the module's path
// without ".so".
std::string hint_of(const std::string& stem) {
    for (const std::string_view ending : source_endings) {
        const std::string source = stem + std::string(ending);
        if (probe(source) == 0) return "; " + source_message(source);
    }
    // A master that has begun without Python has no way to it at a reload.
    if (probe(stem + ".py") == 0) {
        return fmt::format("; {}.py is Python's: start the server anew for it, without --bridge none", escaped(stem));
    }
    return {};
}

std::string first_found(const std::vector<std::string>& candidates, const std::string& module,
                        const std::string& hint_stem) {
    std::string looked_for;
    for (const std::string& candidate : candidates) {
        const int error = probe(candidate);
        if (error == 0) return candidate;
        looked_for += looked_for.empty() ? "" : ", ";
        looked_for += escaped(candidate);
        if (error != ENOENT && error != ENOTDIR) {
            looked_for += fmt::format(" ({})", std::generic_category().message(error));
        }
    }
    throw AppLoadError(
        fmt::format("cannot find app module '{}'; looked for: {}{}", escaped(module), looked_for, hint_of(hint_stem)));
}

} // namespace

std::string find_app_module(const AppSpec& spec, const std::vector<std::string>& app_dirs,
                            const std::string& app_path) {
    const std::string& module = spec.module;
    const bool is_library_name = ends_with(module, ".so");
    const bool is_path = is_library_name || module.find('/') != std::string::npos;
    if (is_path) {
        if (is_source_name(module)) throw AppLoadError(source_message(module));
        if (!is_library_name) return first_found(candidates_of_path(module), module, module);
        // A bare "myapp.so" is a file here; without a directory in its path, the loader would search the system's.
        const std::string path = module.find('/') == std::string::npos ? "./" + module : module;
        return first_found({path}, module, module.substr(0, module.size() - 3));
    }
    const std::vector<std::string> candidates = candidates_of(module, directories_of(app_dirs, app_path));
    if (!is_source_name(module)) return first_found(candidates, module, "./" + module);
    for (const std::string& candidate : candidates) {
        if (probe(candidate) == 0) return candidate;
    }
    throw AppLoadError(source_message(module));
}

} // namespace cppcorn
