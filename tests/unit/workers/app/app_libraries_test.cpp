#include "workers/app/app_libraries.hpp"

#include <filesystem>

#include <fcntl.h>

#include "base/unique_fd.hpp"
#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "workers/app/app_load_error.hpp"
#include "workers/app/elf_links.hpp"

using namespace cppcorn;

namespace {

// versions.so needs libnear.so, which needs libdeep.so in lib.
std::string versions_file(const std::string& name) {
    return std::string(CPPCORN_VERSIONS_APP) + "/" + name;
}

ElfLinks links_of(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(file.is_open());
    return read_elf_links(file.get());
}

std::vector<std::string> names_of(const AppLibraries& libraries) {
    std::vector<std::string> names;
    for (const auto& library : libraries.list) names.push_back(std::filesystem::path(library.path).filename());
    return names;
}

} // namespace

TEST_CASE("a library's links are read off its file", "[elf_links]") {
    const ElfLinks app = links_of(versions_file("versions.so"));
    CHECK(std::find(app.needed.begin(), app.needed.end(), "libnear.so") != app.needed.end());
    CHECK(app.run_path == "$ORIGIN:$ORIGIN/lib");
    CHECK_FALSE(app.is_inherited);
    CHECK(app.asks_where_it_is);
    CHECK(app.soname.empty());
    const ElfLinks deep = links_of(versions_file("lib/libdeep.so"));
    CHECK(deep.soname == "libdeep.so");
    CHECK_FALSE(deep.asks_where_it_is);
    CHECK(deep.build_id.size() % 2 == 0);
    CHECK(deep.build_id.find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("a file that is cut anywhere has links that can be read without harm", "[elf_links]") {
    const TemporaryFolder folder;
    const std::string whole = text_of(versions_file("lib/libdeep.so"));
    for (std::size_t size = 0; size < whole.size(); size += 61) {
        const ElfLinks links = links_of(folder.write("cut.so", whole.substr(0, size)));
        CHECK(links.needed.size() < 10);
    }
}

TEST_CASE("neighbours come before those that need them", "[app_libraries]") {
    const AppLibraries found = find_libraries(versions_file("versions.so"));
    CHECK(names_of(found) == std::vector<std::string>{"libdeep.so", "libnear.so", "versions.so"});
    CHECK(found.use_their_place);
    REQUIRE(found.list[2].needs.size() == 1);
    CHECK(found.list[2].needs[0].name == "libnear.so");
    CHECK(found.list[2].needs[0].library == 1);
    CHECK(found.list[1].needs.at(0).library == 0);
    CHECK(found.build_id == links_of(versions_file("versions.so")).build_id);
}

TEST_CASE("libraries of the system are no neighbours", "[app_libraries]") {
    const AppLibraries found = find_libraries(CPPCORN_TABLES_APP);
    CHECK(names_of(found) == std::vector<std::string>{"tables.so"});
}

TEST_CASE("a link to a library of the system does not make it a neighbour", "[app_libraries]") {
    const TemporaryFolder folder;
    folder.write("system/libnear.so", text_of(versions_file("libnear.so")));
    folder.write("srv/site/versions.so", text_of(versions_file("versions.so")));
    std::filesystem::create_symlink(folder / "system/libnear.so", folder / "srv/site/libnear.so");
    CHECK(names_of(find_libraries(folder / "srv/site/versions.so")) == std::vector<std::string>{"versions.so"});
    folder.write("srv/lib/libnear.so", text_of(versions_file("libnear.so")));
    std::filesystem::remove(folder / "srv/site/libnear.so");
    std::filesystem::create_symlink("../lib/libnear.so", folder / "srv/site/libnear.so");
    CHECK(names_of(find_libraries(folder / "srv/site/versions.so")) ==
          std::vector<std::string>{"libnear.so", "versions.so"});
}

TEST_CASE("neighbours that need one another are found once", "[app_libraries]") {
    const TemporaryFolder folder;
    // Under the names of one another: deep, which needs none, is where near is looked for.
    folder.write("versions.so", text_of(versions_file("versions.so")));
    folder.write("libnear.so", text_of(versions_file("libnear.so")));
    folder.write("lib/libdeep.so", text_of(versions_file("libnear.so"))); // needs libdeep.so, itself
    CHECK(names_of(find_libraries(folder / "versions.so")) ==
          std::vector<std::string>{"libdeep.so", "libnear.so", "versions.so"});
}

TEST_CASE("what cannot be read is said of an app's libraries", "[app_libraries]") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(find_libraries(folder / "none.so"), AppLoadError);
}
