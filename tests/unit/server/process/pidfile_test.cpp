#include "server/process/pidfile.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace fs = std::filesystem;

namespace {

const std::string own_pid = std::to_string(::getpid()) + "\n";

// A process that has ended. Its pid is nobody's until it is reaped.
pid_t ended_child() {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    siginfo_t info;
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
    return pid;
}

// What the attempt to write it fails with.
template <class Error>
std::string failure(const std::string& path) {
    try {
        const Pidfile pidfile(path);
    } catch (const Error& error) {
        return error.what();
    }
    FAIL(path << " could be written");
    return "";
}

std::size_t files_in(const TemporaryFolder& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

} // namespace

TEST_CASE("Pidfile: holds the pid while it lives, and is gone afterwards") {
    const TemporaryFolder folder;
    const std::string path = folder / "pid";
    {
        const Pidfile pidfile(path);
        CHECK(text_of(path) == own_pid);
        CHECK(pidfile.path() == path);
        CHECK(files_in(folder) == 1); // nothing else is left beside it
    }
    CHECK(files_in(folder) == 0);
}

TEST_CASE("Pidfile: everybody may read it, whatever the umask allows to write") {
    const TemporaryFolder folder;
    const mode_t before = ::umask(0);
    const Pidfile pidfile(folder / "pid");
    ::umask(before);
    CHECK(fs::status(pidfile.path()).permissions() == fs::perms(0644));
}

TEST_CASE("Pidfile: one that is held is left alone, whatever is in it") {
    const TemporaryFolder folder;
    const std::string text = GENERATE("4242\n", "999999999\n", "");
    const std::string path = folder.write("pid", text);
    const UniqueFd holder(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::flock(holder.get(), LOCK_EX | LOCK_NB) == 0);
    const std::string said = failure<std::runtime_error>(path);
    CHECK(said.find("already running (pid:") != std::string::npos);
    CHECK(said.find(path) != std::string::npos);
    CHECK(text_of(path) == text);
    CHECK(files_in(folder) == 1);
}

TEST_CASE("Pidfile: it is held while it lives") {
    const TemporaryFolder folder;
    const std::string path = folder / "pid";
    const Pidfile first(path);
    CHECK(failure<std::runtime_error>(path).find("already running (pid:" + std::to_string(::getpid())) == 0);
    CHECK(text_of(path) == own_pid);
}

TEST_CASE("Pidfile: one of another program is replaced") {
    const TemporaryFolder folder;
    const std::string path = folder.write("pid", GENERATE(std::to_string(::getppid()), std::string("1")) + "\n");
    const Pidfile pidfile(path);
    CHECK(text_of(path) == own_pid);
}

TEST_CASE("Pidfile: one that was left over is removed, unless it is held or its process lives") {
    const TemporaryFolder folder;
    const std::string path = folder.write("pid", "999999999\n");
    SECTION("left over") {
        remove_left_over_pidfile(path, Links::followed);
        CHECK(files_in(folder) == 0);
    }
    SECTION("held") {
        const UniqueFd holder(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        REQUIRE(::flock(holder.get(), LOCK_EX | LOCK_NB) == 0);
        remove_left_over_pidfile(path, Links::followed);
        CHECK(files_in(folder) == 1);
    }
    SECTION("held a moment longer, by a child that was being made") {
        UniqueFd holder(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        REQUIRE(::flock(holder.get(), LOCK_EX | LOCK_NB) == 0);
        std::thread child([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            holder.reset();
        });
        remove_left_over_pidfile(path, Links::followed);
        child.join();
        CHECK(files_in(folder) == 0);
    }
    SECTION("of a process that lives") {
        folder.write("pid", std::to_string(::getppid()) + "\n");
        remove_left_over_pidfile(path, Links::followed);
        CHECK(files_in(folder) == 1);
    }
    SECTION("no pidfile at all") {
        folder.write("pid", "notes\n");
        remove_left_over_pidfile(path, Links::followed);
        CHECK(files_in(folder) == 1);
    }
    SECTION("not there") {
        remove_left_over_pidfile(folder / "nothing/pid", Links::followed);
    }
}

TEST_CASE("Pidfile: one that is ours already is written again") {
    const TemporaryFolder folder;
    const std::string path = folder.write("pid", own_pid);
    const Pidfile pidfile(path);
    CHECK(text_of(path) == own_pid);
}

TEST_CASE("Pidfile: one of a process that has ended is replaced") {
    const TemporaryFolder folder;
    const pid_t pid = ended_child();
    const std::string path = folder.write("pid", std::to_string(pid) + "\n");
    SECTION("also where its parent has not noticed yet") {
        const Pidfile pidfile(path);
        CHECK(text_of(path) == own_pid);
        ::waitpid(pid, nullptr, 0);
    }
    SECTION("and its pid is nobody's") {
        ::waitpid(pid, nullptr, 0);
        const Pidfile pidfile(path);
        CHECK(text_of(path) == own_pid);
    }
}

TEST_CASE("Pidfile: one that holds no pid is replaced") {
    const TemporaryFolder folder;
    const std::string text = GENERATE("", "\n", "cppcorn\n", "0\n", "-1\n", "99999999999999999999\n");
    const std::string path = folder.write("pid", text);
    const Pidfile pidfile(path);
    CHECK(text_of(path) == own_pid);
}

TEST_CASE("Pidfile: a pipe in its place holds nobody up") {
    const TemporaryFolder folder;
    const std::string path = folder / "pid";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const Pidfile pidfile(path);
    CHECK(text_of(path) == own_pid);
}

TEST_CASE("Pidfile: a link in its place is replaced, not followed") {
    const TemporaryFolder folder;
    const std::string treasure = folder.write("treasure", "gold");
    const std::string path = folder / "pid";
    fs::create_symlink(treasure, path);
    SECTION("in place of the file") {}
    SECTION("in place of the file that it is written to first") {
        fs::create_symlink(treasure, path + "." + std::to_string(::getpid()) + ".tmp");
    }
    const Pidfile pidfile(path);
    CHECK(text_of(treasure) == "gold");
    CHECK_FALSE(fs::is_symlink(path));
    CHECK(text_of(path) == own_pid);
}

TEST_CASE("Pidfile: one that somebody has replaced is not removed") {
    const TemporaryFolder folder;
    const std::string path = folder / "pid";
    {
        const Pidfile pidfile(path);
        folder.write("pid", "1\n");
    }
    CHECK(text_of(path) == "1\n");
}

TEST_CASE("Pidfile: one that somebody has removed is no trouble") {
    const TemporaryFolder folder;
    {
        const Pidfile pidfile(folder / "pid");
        fs::remove(pidfile.path());
    }
    CHECK(files_in(folder) == 0);
}

TEST_CASE("Pidfile: where it cannot be written it says so, and leaves nothing behind") {
    const TemporaryFolder folder;
    fs::create_directories(folder / "taken/by a folder");
    const std::string path = folder / GENERATE("missing/pid", "taken");
    CHECK(failure<std::system_error>(path).find("pidfile " + path) != std::string::npos);
    CHECK(files_in(folder) == 1);
}

TEST_CASE("Pidfile: a relative path means the folder of the beginning") {
    const TemporaryFolder folder;
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    {
        const Pidfile pidfile("pid");
        fs::current_path(before);
        CHECK(fs::equivalent(pidfile.path(), folder / "pid"));
    }
    CHECK(files_in(folder) == 0);
}
