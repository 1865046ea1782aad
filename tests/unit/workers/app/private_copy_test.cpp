#include "workers/app/private_copy.hpp"

#include <filesystem>
#include <optional>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace {

std::string real(const TemporaryFolder& folder, std::string_view name) {
    return std::filesystem::canonical(folder / name).string();
}

std::size_t files_in(const TemporaryFolder& folder) {
    const std::filesystem::directory_iterator files(folder.path());
    return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

std::string no_spare() {
    return "";
}

TEST_CASE("private copy: what it is a copy of is told by its name") {
    CHECK(original_of_copy("/srv/.cppcorn-0123456789abcdef.shop.so") == "/srv/shop.so");
    CHECK(original_of_copy("/srv/.cppcorn-0123456789abcde.shop.so").empty());
    CHECK(original_of_copy("/srv/shop.so").empty());
    CHECK(original_of_copy("").empty());
}

} // namespace

TEST_CASE("a private copy has the original's bytes and mode, and goes when nobody uses it", "[private_copy]") {
    const TemporaryFolder folder;
    const std::string text(600'000, 'x'); // more than is read at a time
    folder.write("a.so", text);
    ::chmod((folder / "a.so").c_str(), 0640);
    const std::string original = real(folder, "a.so");
    const std::string directory = std::filesystem::path(original).parent_path();
    {
        const PrivateCopy copy(original, directory);
        CHECK(text_of(copy.path()) == text);
        CHECK(copy.path().rfind(directory + "/.cppcorn-", 0) == 0);
        struct stat info {};
        REQUIRE(::stat(copy.path().c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0640);
        CHECK(copy.original() == FileStamp::of(original));
        {
            const PrivateCopy second(original, directory);
            CHECK(second.path() == copy.path());
        }
        CHECK(text_of(copy.path()) == text);
        CHECK(files_in(folder) == 2);
    }
    CHECK(files_in(folder) == 1);
}

TEST_CASE("a private copy keeps its bytes whatever becomes of the original", "[private_copy]") {
    const TemporaryFolder folder;
    folder.write("a.so", "one");
    const std::string original = real(folder, "a.so");
    const std::string directory = std::filesystem::path(original).parent_path();
    PrivateCopy copy(original, directory);
    folder.write("a.so", "two");
    CHECK(text_of(copy.path()) == "one");
    CHECK_FALSE(copy.has_the_bytes_of(original));
    CHECK_FALSE(copy.original() == FileStamp::of(original));
    folder.write("a.so", "one");
    CHECK(copy.has_the_bytes_of(original));

    std::filesystem::remove(original);
    CHECK_FALSE(copy.has_the_bytes_of(original));
    std::filesystem::remove(copy.path());
    copy.restore(no_spare);
    CHECK(text_of(copy.path()) == "one");
}

TEST_CASE("a private copy whose directory is gone is made in another one", "[private_copy]") {
    const TemporaryFolder folder;
    folder.write("app/a.so", "one");
    std::filesystem::create_directory(folder / "spare");
    const std::string original = real(folder, "app/a.so");
    std::optional<PrivateCopy> copy;
    copy.emplace(original, std::filesystem::path(original).parent_path());
    std::filesystem::remove_all(folder / "app");
    CHECK_THROWS_AS(copy->restore(no_spare), std::system_error);
    copy->restore([&] { return real(folder, "spare"); });
    CHECK(text_of(copy->path()) == "one");
    CHECK(copy->path().rfind(real(folder, "spare"), 0) == 0);
    const std::string path = copy->path();
    copy.reset();
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a private copy takes nothing that only has its name", "[private_copy]") {
    const TemporaryFolder folder;
    folder.write("a.so", "one");
    const std::string original = real(folder, "a.so");
    const std::string directory = std::filesystem::path(original).parent_path();
    const std::string name = [&] { return PrivateCopy(original, directory).path(); }();

    SECTION("other bytes") {
        folder.write(std::filesystem::path(name).filename().string(), "two");
    }
    SECTION("a link") {
        std::filesystem::create_symlink(folder.write("b.so", "one"), name);
    }
    SECTION("a file that others may write to") {
        folder.write(std::filesystem::path(name).filename().string(), "one");
        ::chmod(name.c_str(), 0666);
    }
    const PrivateCopy copy(original, directory);
    CHECK(copy.path() == name);
    CHECK(text_of(name) == "one");
    CHECK_FALSE(std::filesystem::is_symlink(name));
    struct stat info {};
    REQUIRE(::stat(name.c_str(), &info) == 0);
    CHECK((info.st_mode & 0022) == 0);
}

TEST_CASE("private copies that nobody uses are removed, and nothing else", "[private_copy]") {
    const TemporaryFolder folder;
    folder.write("a.so", "one");
    const std::string original = real(folder, "a.so");
    folder.write(".cppcorn-0123456789abcdef.b.so", "left by another master");
    folder.write(".cppcorn-0123456789abcdef.b.so.12faa", "its draft");
    folder.write(".cppcorn-notes.b.so", "none of ours");
    folder.write("cppcorn-0123456789abcdef.b.so", "nor is this");
    const PrivateCopy copy(original, std::filesystem::path(original).parent_path());
    CHECK(files_in(folder) == 4);
    CHECK(std::filesystem::exists(folder / ".cppcorn-notes.b.so"));
    CHECK(std::filesystem::exists(folder / "cppcorn-0123456789abcdef.b.so"));
}

TEST_CASE("a private copy is made of regular files only, and through no link", "[private_copy]") {
    const TemporaryFolder folder;
    folder.write("app/a.so", "one");
    std::filesystem::create_directory_symlink(folder / "app", folder / "link");
    const std::string root = std::filesystem::canonical(folder.path()).string();
    CHECK_THROWS_AS(PrivateCopy(root + "/link/a.so", root + "/app"), std::system_error);
    CHECK_THROWS_AS(PrivateCopy(root + "/app/a.so", root + "/link"), std::system_error);
    CHECK_THROWS_AS(PrivateCopy(root + "/app", root), std::system_error);
    CHECK_THROWS_AS(PrivateCopy(root + "/none.so", root), std::system_error);
}
