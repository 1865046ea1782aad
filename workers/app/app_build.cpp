#include "workers/app/app_build.hpp"

#include <ctime>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/log/escape.hpp"
#include "workers/app/app_load_error.hpp"

namespace cppcorn {
namespace {

constexpr int most_tries = 4; // to find a build that nobody is writing

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

// As the log writes times.
std::string text_of(const timespec& time) {
    std::tm local{};
    ::localtime_r(&time.tv_sec, &local);
    char text[64];
    return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S %z", &local)};
}

} // namespace

AppBuild::AppBuild(std::string path) : path_(std::move(path)) {
    libraries_.list.push_back({path_, "", {}, {}});
}

AppBuild::AppBuild(std::string app, std::string interpreter)
    : path_(std::move(app)), interpreter_(std::move(interpreter)) {}

std::shared_ptr<AppBuild> AppBuild::copy(const std::string& path, const SpareDirectory& spare_directory) {
    for (int tries = 0; tries < most_tries; ++tries) {
        auto build = std::make_shared<AppBuild>(path);
        build->spare_directory_ = spare_directory;
        build->libraries_ = find_libraries(path);
        try {
            build->copy_all();
        } catch (const FileChanges&) {
            continue;
        }
        for (const auto& library : build->libraries()) build->seen_.emplace_back(library.stamp);
        if (build->is_copied_from_one_build()) return build;
    }
    throw AppLoadError(escaped(path) + " is being written; put a new build in place by renaming");
}

void AppBuild::copy_all() {
    if (copy_to("")) return;
    if (libraries_.use_their_place) {
        in_place_reason_ += "; a copy elsewhere would not find what is beside it";
        return;
    }
    const std::string spare = spare_directory_ ? spare_directory_() : "";
    if (!spare.empty()) copy_to(spare);
}

bool AppBuild::copy_to(const std::string& directory) {
    try {
        for (const auto& library : libraries()) {
            copies_.emplace_back(library.path, directory.empty() ? directory_of(library.path) : directory);
        }
        in_place_reason_.clear();
    } catch (const std::system_error& error) {
        copies_.clear();
        in_place_reason_ = error.what();
    }
    return is_copied();
}

// A build of several files may be replaced while it is copied.
bool AppBuild::is_copied_from_one_build() const {
    for (std::size_t i = 0; i < libraries().size(); ++i) {
        const auto& library = libraries()[i];
        if (is_copied() && !(copies_[i].original() == library.stamp)) return false;
        if (FileStamp::of(library.path) != library.stamp) return false;
    }
    return true;
}

const std::string& AppBuild::file(std::size_t library) const {
    return is_copied() ? copies_[library].path() : libraries()[library].path;
}

std::string AppBuild::id() const {
    if (!interpreter_.empty()) return interpreter_;
    return libraries_.build_id.empty() ? "no build id" : "build id " + libraries_.build_id;
}

std::string AppBuild::description() const {
    if (!interpreter_.empty()) return fmt::format("{}, by {}", escaped(path_), interpreter_);
    const auto& library = libraries().back();
    return fmt::format("{} of {}, {}", escaped(library.path), text_of(library.stamp.modified), id());
}

std::optional<AppBuild::Difference> AppBuild::new_difference() {
    std::optional<Difference> difference;
    for (std::size_t i = 0; i < seen_.size(); ++i) {
        const auto& library = libraries()[i];
        const auto stamp = FileStamp::of(library.path);
        if (stamp == seen_[i]) continue;
        seen_[i] = stamp;
        if (stamp == library.stamp || (is_copied() && copies_[i].has_the_bytes_of(library.path))) continue;
        difference = Difference{library.path, !stamp.has_value()};
    }
    return difference;
}

void AppBuild::restore() {
    for (auto& copy : copies_) copy.restore(spare_directory_);
}

} // namespace cppcorn
