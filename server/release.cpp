#include "server/release.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <unistd.h>

#include "workers/host.hpp"
#include "workers/system_error.hpp"

namespace cppcorn {

std::shared_ptr<Release> prepare_release(LoadedSettings loaded) {
    auto release = std::make_shared<Release>();
    release->folder.reset(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open the folder ."));
    release->loaded = std::move(loaded);
    release->app = parse_app_spec(release->settings().app);
    return release;
}

std::shared_ptr<Release> open_release(LoadedSettings loaded, const Release* present) {
    const auto release = prepare_release(std::move(loaded));
    release->access_log = std::make_shared<AccessLog>(release->settings());
    release->listeners = open_listeners(release->settings(), present != nullptr ? present->listeners : Listeners{});
    if (present != nullptr && release->settings().preload) release->preloaded = present->preloaded;
    return release;
}

void enter_folder(const Release& release) {
    check(::fchdir(release.folder.get()), "cannot go back to the folder of --chdir");
}

void apply_environment(const Settings& settings) {
    for (const auto& [name, value] : settings.env) ::setenv(name.c_str(), value.c_str(), 1);
}

AppModule load_app(const Release& release) {
    const char* app_path = std::getenv("CPPCORN_APP_PATH");
    const std::string path =
        find_app_module(release.app, release.settings().app_dirs, app_path != nullptr ? app_path : "");
    return AppModule(path, release.app, host_table());
}

} // namespace cppcorn
