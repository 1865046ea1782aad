#include "server/release/release.hpp"

#include <cstdlib>
#include <stdexcept>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "server/process/private_directory.hpp"
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

} // namespace

void apply_umask(const Settings& settings) {
    static const mode_t inherited = present_umask();
    ::umask(settings.umask.value_or(inherited));
}

std::shared_ptr<Release> prepare_release(LoadedSettings loaded) {
    auto release = std::make_shared<Release>();
    release->directory.reset(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open the directory ."));
    release->loaded = std::move(loaded);
    release->app = parse_app_spec(release->settings().app);
    return release;
}

std::shared_ptr<Release> open_release(LoadedSettings loaded) {
    auto release = prepare_release(std::move(loaded));
    release->identity = wanted_identity(release->settings());
    apply_umask(release->settings());
    release->access_log = std::make_shared<AccessLog>(release->settings().access_log);
    return release;
}

void open_listeners(Release& release, const Listeners& present) {
    apply_umask(release.settings());
    release.listeners = open_listeners(release.settings(), present);
}

std::shared_ptr<Release> open_next_release(const StartContext& start, const Release& current,
                                           bool listeners_are_fixed) {
    auto release = open_release(start.read_settings());
    open_listeners(*release, current.listeners);
    if (listeners_are_fixed && release->listeners != current.listeners) {
        throw std::runtime_error("cannot change where to listen while a new master is pending: it would not know");
    }
    if (release->settings().preload && current.preloaded) {
        release->preloaded = current.preloaded;
        release->build = current.build;
    }
    return release;
}

void enter(const Release& release) {
    apply_umask(release.settings());
    check(::fchdir(release.directory.get()), "cannot go back to the directory of --chdir");
}

void take_up(Release& release) {
    enter(release);
    if (!release.settings().preload || release.preloaded) return;
    apply_environment(release.settings());
    release.preloaded = std::make_shared<AppModule>(load_app(release));
}

void give_logs(const Release& release) {
    if (!release.identity) return;
    for (const auto& path : {release.settings().error_log.path, release.settings().access_log.path}) {
        if (!path.empty() && path != "-") give_file(path, *release.identity);
    }
}

void apply_environment(const Settings& settings) {
    for (const auto& [name, value] : settings.env) ::setenv(name.c_str(), value.c_str(), 1);
}

std::string app_file(const Release& release) {
    const char* inherited = std::getenv("CPPCORN_APP_PATH");
    std::string app_path = inherited != nullptr ? inherited : "";
    // Here it is no variable yet: only children have those of --env.
    for (const auto& [name, value] : release.settings().env) {
        if (name == "CPPCORN_APP_PATH") app_path = value;
    }
    return find_app_module(release.app, release.settings().app_dirs, app_path);
}

void fix_build(Release& release) {
    const std::string path = app_file(release);
    check_app_file(path, path, release.app.name);
    const bool for_another_user = release.identity.has_value();
    release.build = AppBuild::copy(path, [for_another_user] { return private_directory(for_another_user); });
    if (release.build->is_copied()) return;
    spdlog::info("{} is used where it is, as it cannot be copied ({}); put a new build in place by renaming", path,
                 release.build->in_place_reason());
}

AppModule load_app(const Release& release) {
    if (release.build) return AppModule(*release.build, release.app, host_table());
    return AppModule(app_file(release), release.app, host_table());
}

} // namespace cppcorn
