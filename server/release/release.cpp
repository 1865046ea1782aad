#include "server/release/release.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/held_path.hpp"
#include "base/system_call.hpp"
#include "server/process/hosting.hpp"
#include "server/process/private_directory.hpp"
#include "server/release/bridge_table.hpp"
#include "workers/app/app_file.hpp"
#include "workers/app/app_search.hpp"
#include "workers/exchange/host.hpp"

namespace cppcorn {
namespace {

mode_t present_umask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

bool is_relative_file(const std::string& path) {
    return !path.empty() && path.front() != '/' && path != "-";
}

// A relative path is as good as the way to the current directory is.
void check_directory(const Release& release) {
    const Settings& settings = release.settings();
    std::vector<std::string> paths{settings.error_log.path, settings.access_log.path, settings.pidfile};
    std::vector<std::string> binds = settings.binds;
    if (!settings.status_bind.empty()) binds.push_back(settings.status_bind);
    if (!settings.control_socket.empty()) binds.push_back("unix:" + settings.control_socket);
    for (const auto& bind : binds) {
        const BindAddress address = parse_bind(bind);
        if (address.kind == BindAddress::Kind::unix_path && !address.is_abstract()) paths.push_back(address.path);
    }
    const auto relative = std::find_if(paths.begin(), paths.end(), is_relative_file);
    const std::string& directory = release.loaded.directory;
    if (relative == paths.end() || directory.empty()) return;
    const std::string what = "cannot use the relative path " + *relative + " with --user or --group";
    const UniqueFd walked = hold_directory(directory, Links::roots_only, what);
    struct stat named {};
    struct stat current {};
    check(::fstat(walked.get(), &named), what);
    check(::fstat(release.directory.get(), &current), what);
    if (named.st_dev != current.st_dev || named.st_ino != current.st_ino) throw_system_error(what, ENOTDIR);
}

// A master of root's must not be led by links of the user's.
void guard_files(Release& release) {
    if (!release.identity) return;
    check_directory(release);
    Settings& settings = release.loaded.values;
    settings.guard = {Links::roots_only, FileOwner{release.identity->uid, release.identity->gid}};
    settings.error_log.guard = settings.access_log.guard = settings.guard;
}

void make_absolute(std::string& path) {
    if (!is_relative_file(path)) return;
    std::error_code error;
    const auto directory = std::filesystem::current_path(error);
    if (error) throw_system_error("cannot find " + path + ": the current directory is gone", error.value());
    path = (directory / path).string();
}

// Once and for all: the directory may be removed, and a reload may enter another one. Not those of unix sockets, which
// must be short.
void make_paths_absolute(Settings& settings) {
    for (auto* path : {&settings.error_log.path, &settings.access_log.path, &settings.pidfile}) make_absolute(*path);
    for (auto& path : settings.reload_extra_files) make_absolute(path);
}

std::string library_of(const AppSpec& spec, const Settings& settings) {
    const char* inherited = std::getenv("CPPCORN_APP_PATH");
    std::string app_path = inherited != nullptr ? inherited : "";
    // Here it is no variable yet: only children have those of --env.
    for (const auto& [name, value] : settings.env) {
        if (name == "CPPCORN_APP_PATH") app_path = value;
    }
    return find_app_module(spec, settings.app_dirs, app_path);
}

AppSpec spec_of(const Settings& settings) {
    if (!is_for_interpreter(settings)) return parse_app_spec(settings.app);
    AppSpec spec;
    spec.module = split_app_spec(settings.app).module;
    return spec;
}

} // namespace

void apply_umask(const Settings& settings) {
    static const mode_t inherited = present_umask();
    ::umask(settings.umask.value_or(inherited));
}

std::shared_ptr<Release> prepare_release(LoadedSettings loaded) {
    auto release = std::make_shared<Release>();
    release->directory.reset(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open the directory ."));
    release->loaded = std::move(loaded);
    if (::geteuid() == 0) release->identity = wanted_identity(release->settings()); // no code of the app as root
    guard_files(*release);
    make_paths_absolute(release->loaded.values);
    release->app = spec_of(release->settings());
    return release;
}

void open_logs(Release& release) {
    release.identity = wanted_identity(release.settings());
    apply_umask(release.settings());
    release.access_log = std::make_shared<AccessLog>(release.settings().access_log);
}

void open_listeners(Release& release, const Listeners& present) {
    apply_umask(release.settings());
    Listeners listeners = open_listeners(release.settings(), present);
    Listeners unused; // each may serve for one setting
    for (const auto& listener : present) {
        if (std::find(listeners.begin(), listeners.end(), listener) == listeners.end()) unused.push_back(listener);
    }
    release.status_listeners = open_status_listeners(release.settings(), unused);
    release.listeners = std::move(listeners);
}

Listeners all_listeners(const Release& release) {
    Listeners all = release.listeners;
    all.insert(all.end(), release.status_listeners.begin(), release.status_listeners.end());
    return all;
}

std::shared_ptr<Release> open_next_release(const StartContext& start, const Release& current,
                                           bool listeners_are_fixed) {
    auto release = prepare_release(start.read_settings());
    open_logs(*release);
    open_listeners(*release, all_listeners(current));
    if (listeners_are_fixed && all_listeners(*release) != all_listeners(current)) {
        throw std::runtime_error("cannot change where to listen while a new master is pending: it would not know");
    }
    return release;
}

void enter(const Release& release) {
    apply_umask(release.settings());
    check(::fchdir(release.directory.get()), "cannot go back to the directory of --chdir");
}

void apply_environment(const Settings& settings) {
    for (const auto& [name, value] : settings.env) ::setenv(name.c_str(), value.c_str(), 1);
}

bool has_library(const Settings& settings) {
    AppSpec spec; // of what follows, an interpreter may understand more
    spec.module = split_app_spec(settings.app).module;
    if (spec.module.ends_with(".so")) return true; // or there is to be one: no module has such a name
    try {
        library_of(spec, settings);
        return true;
    } catch (const AppLoadError&) {
        return false;
    }
}

bool is_for_interpreter(const Settings& settings) {
    if (hosting() == nullptr || settings.bridge == BridgeChoice::none) return false;
    return settings.bridge == BridgeChoice::python || !has_library(settings);
}

std::string app_file(const Release& release) {
    return library_of(release.app, release.settings());
}

void fix_build(Release& release) {
    if (is_for_interpreter(release.settings())) {
        release.build = std::make_shared<AppBuild>(release.settings().app, hosting()->interpreter);
        return;
    }
    const std::string path = app_file(release);
    check_app_file(path, path, release.app.name);
    const bool for_another_user = release.identity.has_value();
    release.build = AppBuild::copy(path, [for_another_user] { return private_directory(for_another_user); });
    if (release.build->is_copied()) return;
    spdlog::info("{} is used where it is, as it cannot be copied ({}); put a new build in place by renaming", path,
                 release.build->in_place_reason());
}

namespace {

AppModule load_by_interpreter(const Release& release) {
    try {
        return AppModule(hosting()->load, release.app, host_table());
    } catch (const AppNotFound& error) {
        if (release.settings().bridge == BridgeChoice::python) throw;
        try {
            library_of(release.app, release.settings());
        } catch (const AppLoadError& of_libraries) {
            throw AppLoadError(fmt::format("{}; {}", of_libraries.what(), error.what()));
        }
        throw;
    }
}

} // namespace

AppModule load_app(const Release& release) {
    offer_bridge_table(release.settings());
    if (is_for_interpreter(release.settings())) return load_by_interpreter(release);
    if (release.build) return AppModule(*release.build, release.app, host_table());
    return AppModule(app_file(release), release.app, host_table());
}

} // namespace cppcorn
