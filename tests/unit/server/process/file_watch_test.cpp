#include "server/process/file_watch.hpp"

#include <filesystem>
#include <fstream>

#include <poll.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;

namespace fs = std::filesystem;

namespace {

// A watch under a clock of its own. The kernel queues its events before the call that causes them returns, so nothing
// has to be waited for; the limit is for the case that one does not come.
class Watched {
  public:
    explicit Watched(std::vector<std::string> paths) : watch(std::move(paths), now) {}

    void pass(std::chrono::milliseconds time) { now += time; }

    // Takes the events that something has caused.
    void take() {
        pollfd entry{watch.fd(), POLLIN, 0};
        REQUIRE(::poll(&entry, 1, 5000) == 1);
        watch.take_changes(now);
    }
    bool has_events() const {
        pollfd entry{watch.fd(), POLLIN, 0};
        return ::poll(&entry, 1, 0) == 1;
    }
    // What it tells once all has been left alone for long enough.
    std::optional<std::string> settle() {
        pass(300ms);
        return watch.changed(now);
    }

    SteadyTime now{1h};
    FileWatch watch;
};

} // namespace

TEST_CASE("FileWatch: as long as nothing happens it tells nothing, and looks again each second") {
    const TemporaryFolder folder;
    Watched watched({folder.write("app.so", "1")});
    CHECK(watched.watch.paths() == std::vector<std::string>{folder / "app.so"});
    CHECK(watched.watch.due() == watched.now + 1s);
    for (int second = 0; second < 3; ++second) {
        watched.pass(1s);
        CHECK_FALSE(watched.watch.changed(watched.now).has_value());
        CHECK(watched.watch.due() == watched.now + 1s);
    }
    CHECK_FALSE(watched.has_events());
}

TEST_CASE("FileWatch: a file that was written is told of once, when it has been left alone for a moment") {
    const TemporaryFolder folder;
    const std::string path = folder.write("app.so", "1");
    Watched watched({path});
    folder.write("app.so", "2");
    watched.take();
    CHECK(watched.watch.due() == watched.now + 300ms);
    watched.pass(299ms);
    CHECK_FALSE(watched.watch.changed(watched.now).has_value());
    watched.pass(1ms);
    CHECK(watched.watch.changed(watched.now) == path);
    CHECK_FALSE(watched.watch.changed(watched.now).has_value());
    CHECK_FALSE(watched.settle().has_value());
}

TEST_CASE("FileWatch: each further write begins the moment anew") {
    const TemporaryFolder folder;
    const std::string path = folder.write("app.so", "1");
    Watched watched({path});
    std::ofstream file(path);
    for (int i = 0; i < 10; ++i) {
        file << "a piece" << std::flush;
        watched.take();
        watched.pass(200ms);
        CHECK_FALSE(watched.watch.changed(watched.now).has_value());
    }
    watched.pass(100ms);
    CHECK(watched.watch.changed(watched.now) == path);
}

TEST_CASE("FileWatch: a file that is moved into place has changed") {
    const TemporaryFolder folder;
    const std::string path = folder.write("app.so", "1");
    Watched watched({path});
    fs::rename(folder.write("elsewhere/app.so", "2"), path);
    watched.take();
    CHECK(watched.settle() == path);
}

TEST_CASE("FileWatch: other files in the same folder are nobody's business") {
    const TemporaryFolder folder;
    Watched watched({folder.write("app.so", "1")});
    folder.write("app.so.o", "x");
    folder.write("app", "x");
    watched.take();
    CHECK_FALSE(watched.settle().has_value());
}

TEST_CASE("FileWatch: a file that is gone is not told of until it is back") {
    const TemporaryFolder folder;
    const std::string path = folder.write("app.so", "1");
    Watched watched({path});
    folder.write("app.so", "2");
    watched.take();
    fs::remove(path);
    CHECK_FALSE(watched.settle().has_value());
    folder.write("app.so", "3");
    watched.take();
    CHECK(watched.settle() == path);
}

TEST_CASE("FileWatch: a file that was not there yet is told of when it is made") {
    const TemporaryFolder folder;
    Watched watched({folder / "app.so"});
    const std::string path = folder.write("app.so", "1");
    watched.take();
    CHECK(watched.settle() == path);
}

TEST_CASE("FileWatch: of a link, both ends are watched") {
    const TemporaryFolder folder;
    const std::string target = folder.write("builds/1/app.so", "1");
    fs::create_directory(folder / "app");
    const std::string path = folder / "app/app.so";
    fs::create_symlink(target, path);
    Watched watched({path});
    SECTION("what it leads to is written") {
        folder.write("builds/1/app.so", "2");
    }
    SECTION("it is replaced") {
        fs::create_symlink(folder.write("builds/2/app.so", "2"), folder / "app/new");
        fs::rename(folder / "app/new", path);
    }
    watched.take();
    CHECK(watched.settle() == path);
}

TEST_CASE("FileWatch: a link to the folder that leads elsewhere is noticed within a second") {
    const TemporaryFolder folder;
    folder.write("releases/1/app.so", "1");
    folder.write("releases/2/app.so", "2");
    const std::string current = folder / "current";
    fs::create_symlink(folder / "releases/1", current);
    Watched watched({current + "/app.so"});
    fs::remove(current);
    fs::create_symlink(folder / "releases/2", current);
    CHECK_FALSE(watched.watch.changed(watched.now).has_value());
    watched.pass(1s);
    CHECK_FALSE(watched.watch.changed(watched.now).has_value()); // it has just been seen, and may go on changing
    CHECK(watched.settle() == current + "/app.so");
    folder.write("releases/2/app.so", "3");
    watched.take();
    CHECK(watched.settle() == current + "/app.so");
}

TEST_CASE("FileWatch: a folder that is removed and made anew is noticed within a second, and watched again") {
    const TemporaryFolder folder;
    const std::string path = folder.write("build/app.so", "1");
    Watched watched({path});
    fs::remove_all(folder / "build");
    folder.write("build/app.so", "2");
    watched.pass(1s);
    watched.watch.take_changes(watched.now);
    watched.watch.changed(watched.now);
    CHECK(watched.settle() == path);
    folder.write("build/app.so", "3");
    watched.take();
    CHECK(watched.settle() == path);
}

TEST_CASE("FileWatch: a folder that is not there yet is watched once it is") {
    const TemporaryFolder folder;
    Watched watched({folder / "build/app.so"});
    const std::string path = folder.write("build/app.so", "1");
    watched.pass(1s);
    watched.watch.changed(watched.now);
    CHECK(watched.settle() == path);
}

TEST_CASE("FileWatch: several files that change together are one change") {
    const TemporaryFolder folder;
    const std::vector<std::string> paths = {folder.write("a.toml", "1"), folder.write("b/app.so", "1")};
    Watched watched(paths);
    folder.write("a.toml", "2");
    folder.write("b/app.so", "2");
    watched.take();
    const auto told = watched.settle();
    REQUIRE(told.has_value());
    CHECK((*told == paths[0] || *told == paths[1]));
    CHECK_FALSE(watched.settle().has_value());
}

TEST_CASE("FileWatch: of several files, one that is gone does not hide another") {
    const TemporaryFolder folder;
    const std::vector<std::string> paths = {folder.write("a.toml", "1"), folder.write("b.toml", "1")};
    Watched watched(paths);
    folder.write("a.toml", "2");
    folder.write("b.toml", "2");
    watched.take();
    fs::remove(paths[1]);
    CHECK(watched.settle() == paths[0]);
}

TEST_CASE("FileWatch: if the kernel has lost events, something has changed") {
    const TemporaryFolder folder;
    const std::string path = folder.write("app.so", "1");
    const int most_events = std::stoi(text_of("/proc/sys/fs/inotify/max_queued_events"));
    if (most_events > 100'000) return; // it would take too long
    Watched watched({path});
    std::ofstream files[2] = {std::ofstream(folder / "x"), std::ofstream(folder / "y")};
    // By turns: equal events that follow each other are one.
    for (int i = 0; i <= most_events; ++i) files[i % 2] << '.' << std::flush;
    watched.take();
    CHECK(watched.settle() == path);
}
