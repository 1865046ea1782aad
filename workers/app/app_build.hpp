// The build of an app: its library and the libraries that came with it. A release runs private copies of them
// (private_copy.hpp), so that every worker that it ever starts runs what was tried, whatever becomes of the files.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "workers/app/app_libraries.hpp"
#include "workers/app/private_copy.hpp"

namespace cppcorn {

// Immutable but for restore() and what was logged. Valid in the process that made it; forks may load from it.
class AppBuild {
  public:
    // Its library alone, used where it is.
    explicit AppBuild(std::string path);
    // Of an app that is no library: what an interpreter finds under the name `app` whenever it is loaded.
    AppBuild(std::string app, std::string interpreter);

    // What a directory for copies is called that is used where they cannot be beside the originals; empty: none.
    using SpareDirectory = std::function<std::string()>;
    // Copies the build of which `path` is the app's library. Where that cannot be done, the originals are used:
    // in_place_reason(). Relative paths start in the current directory. Throws AppLoadError if there is no build, or if
    // it is being written.
    static std::shared_ptr<AppBuild> copy(const std::string& path, const SpareDirectory& spare_directory);

    // Of the app's library as it was asked for.
    const std::string& path() const { return path_; }
    // Each comes after those that it needs; the app's is the last.
    const std::vector<AppLibrary>& libraries() const { return libraries_.list; }
    // What is loaded in the place of a library.
    const std::string& file(std::size_t library) const;
    bool is_copied() const { return !copies_.empty(); }
    const std::string& in_place_reason() const { return in_place_reason_; }

    // "build id 4f2a…"; without one, "no build id"; of an interpreter, which it is.
    std::string id() const;
    // "/srv/app/myapp.so of 2026-11-27 04:23:05 +0000, build id 4f2a…"
    std::string description() const;

    // A library whose original is no longer what the build has, since this was asked last; nullopt if there is none.
    struct Difference {
        std::string path;
        bool is_gone;
    };
    std::optional<Difference> new_difference();

    // Makes copies anew that somebody has removed. Throws std::system_error or FileChanges if that cannot be done.
    void restore();

  private:
    void copy_all();
    // To the directory of each, or all to one. False if that was not to be, which is the reason then.
    bool copy_to(const std::string& directory);
    bool is_copied_from_one_build() const;

    std::string path_;
    std::string interpreter_; // empty: it is a library
    AppLibraries libraries_;
    std::vector<PrivateCopy> copies_; // of each library, or of none
    std::string in_place_reason_;
    std::vector<std::optional<FileStamp>> seen_; // of each original, when a difference was looked for last
    SpareDirectory spare_directory_;
};

} // namespace cppcorn
