#include "server/release/app_watch.hpp"

#include <exception>
#include <filesystem>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

namespace cppcorn {

void AppWatch::follow(const Release& release, SteadyTime now) {
    if (!release.settings().reload) return stop();
    std::vector<std::string> paths = release.settings().reload_extra_files;
    try {
        if (release.watched.empty()) paths.push_back(std::filesystem::absolute(app_file(release)));
        paths.insert(paths.end(), release.watched.begin(), release.watched.end());
        if (!files_ || files_->paths() != paths) files_ = std::make_unique<FileWatch>(std::move(paths), now);
    } catch (const std::exception& error) {
        spdlog::error("{}; changes are not noticed", error.what());
    }
}

} // namespace cppcorn
