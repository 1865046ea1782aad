#include "base/held_path.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace fs = std::filesystem;

namespace {

constexpr uid_t somebody = 12345;

bool is_root() {
    if (::geteuid() == 0) return true;
    WARN("not tried: only root can make links of others");
    return false;
}

// The folder that the path leads to, by its number; 0 and the reason in `said` if it is refused.
ino_t reached(const std::string& path, Links links, std::string* said = nullptr) {
    try {
        const HeldPath place = hold_path(path, links, "cannot open it");
        struct stat status {};
        REQUIRE(::fstat(place.directory.get(), &status) == 0);
        return status.st_ino;
    } catch (const std::system_error& error) {
        if (said != nullptr) *said = error.what();
        return 0;
    }
}

ino_t number_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_ino;
}

std::string make_folder(const TemporaryFolder& folder, const std::string& name) {
    fs::create_directory(folder / name);
    return folder / name;
}

} // namespace

TEST_CASE("hold_path: the folder and the name in it") {
    const TemporaryFolder folder;
    const Links links = GENERATE(Links::followed, Links::roots_only);
    make_folder(folder, "a");
    const std::string deep = make_folder(folder, "a/b");
    CHECK(hold_path(deep + "/file", links, "").name == "file");
    CHECK(reached(deep + "/file", links) == number_of(deep));
    CHECK(reached(folder / "a//b/./file", links) == number_of(deep));
    CHECK(reached(folder / "a/b/../b/file", links) == number_of(deep));
    CHECK(reached("/file", links) == number_of("/"));
    CHECK(reached("file", links) == number_of("."));
}

TEST_CASE("hold_path: what is no way to a file") {
    const TemporaryFolder folder;
    const Links links = GENERATE(Links::followed, Links::roots_only);
    folder.write("plain", "");
    std::string said;
    CHECK(reached(folder / "none/file", links, &said) == 0);
    CHECK(said == "cannot open it: No such file or directory");
    CHECK(reached(folder / "plain/file", links, &said) == 0);
    CHECK(said == "cannot open it: Not a directory");
    for (const char* path : {"", "/", ".", "..", "/tmp/", "/tmp/."}) {
        CAPTURE(path);
        CHECK(reached(path, links, &said) == 0);
        CHECK(said == "cannot open it: Is a directory");
    }
}

TEST_CASE("hold_path: links are followed where whoever runs it may go where it likes") {
    const TemporaryFolder folder;
    const std::string real = make_folder(folder, "real");
    fs::create_directory_symlink("real", folder / "link");
    CHECK(reached(folder / "link/file", Links::followed) == number_of(real));
}

TEST_CASE("hold_path: links of root's that nobody else can change are followed") {
    if (!is_root()) return;
    const TemporaryFolder folder;
    const std::string real = make_folder(folder, "real");
    fs::create_directory_symlink(GENERATE("real", "../../../../../../../../../../.."), folder / "link");
    fs::create_directory_symlink(folder / "link", folder / "absolute");
    const ino_t expected = number_of(folder / "link");
    CHECK(reached(folder / "link/file", Links::roots_only) == expected);
    CHECK(reached(folder / "absolute/file", Links::roots_only) == expected);
    CHECK(number_of(real) != 0);
}

TEST_CASE("hold_path: links that others could change are refused") {
    if (!is_root()) return;
    const TemporaryFolder folder;
    make_folder(folder, "real");
    const std::string home = make_folder(folder, "home");
    std::string path = folder / "link/file";
    SECTION("their own") {
        fs::create_directory_symlink("real", folder / "link");
        REQUIRE(::lchown((folder / "link").c_str(), somebody, somebody) == 0);
    }
    SECTION("in a folder of theirs") {
        fs::create_directory_symlink("../real", home + "/link");
        REQUIRE(::lchown(home.c_str(), somebody, somebody) == 0);
        path = home + "/link/file";
    }
    SECTION("in a folder where they may write") {
        fs::create_directory_symlink("../real", home + "/link");
        REQUIRE(::chmod(home.c_str(), GENERATE(0777, 0775, 01777)) == 0);
        path = home + "/link/file";
    }
    SECTION("in a folder of root's that is in one of theirs") {
        fs::create_directory(home + "/inner");
        fs::create_directory_symlink("../../real", home + "/inner/link");
        REQUIRE(::lchown(home.c_str(), somebody, somebody) == 0);
        path = home + "/inner/link/file";
    }
    SECTION("behind a link that is fine") {
        fs::create_directory_symlink("home", folder / "fine");
        fs::create_directory_symlink("../real", home + "/link");
        REQUIRE(::lchown(home.c_str(), somebody, somebody) == 0);
        path = folder / "fine/link/file";
    }
    std::string said;
    CHECK(reached(path, Links::roots_only, &said) == 0);
    CHECK(said.find("is a link that others could change") != std::string::npos);
}

TEST_CASE("hold_path: links that lead in a circle end") {
    if (!is_root()) return;
    const TemporaryFolder folder;
    fs::create_directory_symlink("two", folder / "one");
    fs::create_directory_symlink("one", folder / "two");
    CHECK(reached(folder / "one/file", Links::roots_only) == 0);
}

TEST_CASE("is_only_name_of: a file under its only name") {
    const TemporaryFolder folder;
    const std::string path = folder.write("file", "");
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const HeldPath place = hold_path(path, Links::followed, "");
    CHECK(is_only_name_of(place.directory.get(), "file", file.get()));
    SECTION("not if it has another") {
        fs::create_hard_link(path, folder / "other");
        CHECK_FALSE(is_only_name_of(place.directory.get(), "file", file.get()));
        CHECK_FALSE(is_only_name_of(place.directory.get(), "other", file.get()));
    }
    SECTION("not if that is another one") {
        fs::rename(path, folder / "other");
        CHECK_FALSE(is_only_name_of(place.directory.get(), "file", file.get()));
        folder.write("file", "");
        CHECK_FALSE(is_only_name_of(place.directory.get(), "file", file.get()));
    }
}
