#include "server/process/identity.hpp"

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace fs = std::filesystem;

namespace {

const Identity somebody{12345, 54321, {}};

using Owner = std::pair<uid_t, gid_t>;

Owner owner_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    return {info.st_uid, info.st_gid};
}

bool may_give() {
    if (::geteuid() == 0) return true;
    WARN("not tried: only root can give files away");
    return false;
}

} // namespace

TEST_CASE("give_file: a log becomes the workers'") {
    if (!may_give()) return;
    const TemporaryFolder folder;
    const std::string log = folder.write("some.log", "");
    give_file(log, somebody);
    CHECK(owner_of(log) == Owner{somebody.uid, somebody.gid});
}

// Whoever owns the folder may have put any of these there, to be given what is not theirs.
TEST_CASE("give_file: what a link leads to is not given away") {
    if (!may_give()) return;
    const TemporaryFolder folder;
    const std::string treasure = folder.write("treasure", "");
    const std::string log = folder / "some.log";
    SECTION("a symbolic link") {
        fs::create_symlink(treasure, log);
    }
    SECTION("another name of the file") {
        fs::create_hard_link(treasure, log);
    }
    give_file(log, somebody);
    CHECK(owner_of(treasure) == Owner{0, ::getegid()});
    CHECK(owner_of(log) == Owner{0, ::getegid()});
}

TEST_CASE("give_file: what is no regular file is not given away, and holds nobody up") {
    if (!may_give()) return;
    const TemporaryFolder folder;
    const std::string log = folder / "some.log";
    int reader = -1;
    SECTION("a folder") {
        REQUIRE(::mkdir(log.c_str(), 0755) == 0);
    }
    SECTION("a pipe that nobody reads") {
        REQUIRE(::mkfifo(log.c_str(), 0644) == 0);
    }
    SECTION("a pipe that somebody reads") {
        REQUIRE(::mkfifo(log.c_str(), 0644) == 0);
        reader = ::open(log.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        REQUIRE(reader >= 0);
    }
    give_file(log, somebody);
    CHECK(owner_of(log) == Owner{0, ::getegid()});
    if (reader >= 0) ::close(reader);
}

TEST_CASE("give_file: a log that is not there is not made") {
    const TemporaryFolder folder;
    give_file(folder / "some.log", somebody);
    CHECK_FALSE(fs::exists(folder / "some.log"));
}
