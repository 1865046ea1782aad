#include "workers/app/app_module.hpp"

#include <filesystem>
#include <string>

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"
#include "tests/unit/workers/app/elf_image.hpp"
#include "workers/app/app_search.hpp"
#include "workers/app/dl_error.hpp"
#include "workers/app/elf_file.hpp"

using namespace cppcorn;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

// Makes a folder the current one for as long as it lives.
class Inside {
  public:
    explicit Inside(const TemporaryFolder& folder) : before_(std::filesystem::current_path()) {
        std::filesystem::current_path(folder.path());
    }
    ~Inside() { std::filesystem::current_path(before_); }

  private:
    std::filesystem::path before_;
};

std::string find(const std::string& spec, const std::vector<std::string>& app_dirs = {},
                 const std::string& app_path = "") {
    return find_app_module(parse_app_spec(spec), app_dirs, app_path);
}

std::string find_error(const std::string& spec, const std::vector<std::string>& app_dirs = {},
                       const std::string& app_path = "") {
    try {
        return "found " + find(spec, app_dirs, app_path);
    } catch (const AppLoadError& error) {
        return error.what();
    }
}

const cppcorn_host host{};

std::string load_error(const std::string& path, const std::string& spec = "m") {
    try {
        AppModule(path, parse_app_spec(spec), host);
    } catch (const AppLoadError& error) {
        return error.what();
    }
    FAIL("no error for " << path);
    return {};
}

elf_image::Image app_image() {
    elf_image::Image image;
    image.defined = {"cppcorn_module_info_v1", "cppcorn_app_echo", "cppcorn_app_app"};
    return image;
}

} // namespace

TEST_CASE("a module is looked for in each folder in order, MODULE.so first") {
    const TemporaryFolder folder;
    const Inside inside(folder);
    CHECK(find_error("myapp") == "cannot find app module 'myapp'; looked for: ./myapp.so, ./libmyapp.so");

    folder.write("libmyapp.so", "x");
    CHECK(find("myapp") == "./libmyapp.so");
    folder.write("myapp.so", "x");
    CHECK(find("myapp") == "./myapp.so");
    folder.write("path2/myapp.so", "x");
    CHECK(find("myapp", {}, "path1:path2") == "path2/myapp.so");
    folder.write("path1/libmyapp.so", "x");
    CHECK(find("myapp", {}, "path1:path2") == "path1/libmyapp.so");
    folder.write("dir2/myapp.so", "x");
    CHECK(find("myapp", {"dir1", "dir2/"}, "path1:path2") == "dir2/myapp.so");
}

TEST_CASE("what is not found is told with all places, each once") {
    const TemporaryFolder folder;
    const Inside inside(folder);
    CHECK(find_error("m:app", {"a", "."}, ":b/:") ==
          "cannot find app module 'm'; looked for: a/m.so, a/libm.so, ./m.so, ./libm.so, b/m.so, b/libm.so");
    // The system's library path, which has a libc.so in many places, is not searched.
    CHECK(find_error("c") == "cannot find app module 'c'; looked for: ./c.so, ./libc.so");
}

TEST_CASE("a module with a slash or .so is a path as written") {
    const TemporaryFolder folder;
    const Inside inside(folder);
    folder.write("build/myapp.so", "x");
    folder.write("other/myapp.so", "x");
    CHECK(find("build/myapp.so", {"other"}) == "build/myapp.so");
    CHECK(find(folder / "build/myapp.so") == folder / "build/myapp.so");
    CHECK(find_error("myapp.so", {"other"}) == "cannot find app module 'myapp.so'; looked for: ./myapp.so");
    folder.write("myapp.so", "x");
    CHECK(find("myapp.so", {"other"}) == "./myapp.so");
}

TEST_CASE("a path may lack the library's ending") {
    const TemporaryFolder folder;
    const Inside inside(folder);
    CHECK(find_error("c/counter") ==
          "cannot find app module 'c/counter'; looked for: c/counter, c/counter.so, c/libcounter.so");
    folder.write("c/libcounter.so", "x");
    CHECK(find("c/counter") == "c/libcounter.so");
    folder.write("c/counter.so", "x");
    CHECK(find("c/counter") == "c/counter.so");
    CHECK(find("./c/counter") == "./c/counter.so");
    CHECK(find(folder / "c/counter") == folder / "c/counter.so");
    folder.write("c/counter", "x"); // as written, where there is one
    CHECK(find("c/counter") == "c/counter");
    folder.write("d/e/x", "x"); // but no directory
    folder.write("d/e.so", "x");
    CHECK(find("d/e") == "d/e.so");
    CHECK_THAT(find_error("d/e/"), StartsWith("cannot find app module 'd/e/'; looked for: "));
}

TEST_CASE("source instead of a library is recognised") {
    const TemporaryFolder folder;
    const Inside inside(folder);
    CHECK(find_error("myapp.cpp") == "myapp.cpp is source; build it first: cmake --build build");
    CHECK(find_error("src/myapp.c:app") == "src/myapp.c is source; build it first: cmake --build build");
    folder.write("myapp.cpp", "x");
    CHECK(find_error("myapp") ==
          "cannot find app module 'myapp'; looked for: ./myapp.so, ./libmyapp.so; ./myapp.cpp is source; build it "
          "first: cmake --build build");
    CHECK_THAT(find_error("./myapp.so"), Contains("; ./myapp.cpp is source; build it first"));
    CHECK_THAT(find_error("./myapp"), Contains("; ./myapp.cpp is source; build it first"));
    folder.write("shop.py", "x");
    CHECK_THAT(find_error("shop:app"),
               Contains("./libshop.so; ./shop.py is Python's: start the server anew for it, without --bridge none"));
    // A module may have such a name all the same.
    folder.write("myapp.cpp.so", "x");
    CHECK(find("myapp.cpp") == "./myapp.cpp.so");
}

TEST_CASE("a place that cannot be looked at is told with the reason") {
    const std::string name(300, 'x');
    CHECK_THAT(find_error(name), Contains("./" + name + ".so (File name too long)"));
}

TEST_CASE("names are made printable in messages") {
    const std::string error = find_error("a\nb\x1b");
    CHECK_THAT(error, StartsWith(R"(cannot find app module 'a\x0ab\x1b'; looked for: ./a\x0ab\x1b.so)"));
    CHECK(error.find('\n') == std::string::npos);
}

TEST_CASE("files that are no shared library are told apart") {
    const TemporaryFolder folder;
    const auto error_of = [&](std::string_view text) {
        const std::string path = folder.write("x.so", text);
        const std::string error = load_error(path);
        REQUIRE(error.rfind(path, 0) == 0);
        return error.substr(path.size());
    };
    CHECK(error_of("") == " is empty, not a shared library");
    CHECK(error_of("#!/bin/sh\nexit 0\n") == " is a script, not a shared library");
    CHECK(error_of("int main() {}\n") == " is not a shared library (it is not an ELF file)");
    CHECK_THAT(error_of("!<arch>\nx.o/"), StartsWith(" is a static library, not a shared one"));
    CHECK(error_of("\x7f"
                   "ELF") == " is truncated; build or copy it again");

    elf_image::Image image = app_image();
    const std::string whole = elf_image::make(image);
    CHECK(error_of(whole.substr(0, whole.size() / 2)) == " is truncated; build or copy it again");
    image.type = ET_REL;
    CHECK_THAT(error_of(elf_image::make(image)), StartsWith(" is an object file, not a shared library"));
    image.type = ET_CORE;
    CHECK(error_of(elf_image::make(image)) == " is not a shared library");
}

TEST_CASE("an executable is not loaded") {
    CHECK_THAT(load_error("/proc/self/exe"), StartsWith("/proc/self/exe is an executable, not a shared library"));
}

TEST_CASE("a folder, a device and nothing at all are told apart") {
    const TemporaryFolder folder;
    CHECK(load_error(folder.path()) == folder.path() + " is a directory, not a shared library");
    CHECK(load_error("/dev/null") == "/dev/null is not a regular file");
    CHECK(load_error(folder / "x.so") == folder / "x.so: cannot be read: No such file or directory");
    REQUIRE(::mkfifo((folder / "fifo.so").c_str(), 0600) == 0);
    CHECK(load_error(folder / "fifo.so") == folder / "fifo.so is not a regular file");
    if (::geteuid() == 0) return; // who may read everything
    const std::string path = folder.write("y.so", "x");
    REQUIRE(::chmod(path.c_str(), 0) == 0);
    CHECK(load_error(path) == path + ": cannot be read: Permission denied");
}

TEST_CASE("a library for another machine is told as that, whatever else is wrong with it") {
    const TemporaryFolder folder;
    const unsigned other = native_machine() == "aarch64" ? EM_X86_64 : EM_AARCH64;
    const std::string name = other == EM_AARCH64 ? "aarch64" : "x86_64";
    const std::string bytes = elf_image::with_machine(elf_image::make(app_image()), other);
    for (const std::size_t size : {bytes.size(), bytes.size() / 2}) {
        const std::string path = folder.write("x.so", bytes.substr(0, size));
        CHECK(load_error(path) == path + ": built for " + name + "; this server is " + native_machine());
    }
}

TEST_CASE("a library that is no cppcorn app is told as that") {
    Dl_info info{};
    REQUIRE(::dladdr(reinterpret_cast<const void*>(&::getppid), &info) != 0);
    const std::string libc = info.dli_fname;
    CHECK(load_error(libc) == libc + " is a shared library but not a cppcorn app");

    const TemporaryFolder folder;
    elf_image::Image image;
    image.defined = {"cppcorn_app_app"};
    image.undefined = {"cppcorn_module_info_v1"};
    const std::string path = folder.write("x.so", elf_image::make(image));
    CHECK(load_error(path) == path + " is a shared library but not a cppcorn app");
}

TEST_CASE("a module without the app tells which it has") {
    const TemporaryFolder folder;
    elf_image::Image image = app_image();
    const std::string path = folder.write("x.so", elf_image::make(image));
    CHECK(load_error(path, "m:x") == path + " has no app 'x'; it defines: app, echo");
    CHECK(load_error(path, "m:create(1)") == path + " has no app 'create'; it defines: app, echo");

    image.defined = {"cppcorn_module_info_v1"};
    folder.write("x.so", elf_image::make(image));
    CHECK(load_error(path) == path + " has no app 'app'; it defines none");

    for (int i = 0; i < 100; ++i) image.defined.push_back("cppcorn_app_a\x1b" + std::to_string(i));
    folder.write("x.so", elf_image::make(image));
    const std::string error = load_error(path);
    CHECK_THAT(error, Contains(R"(it defines: a\x1b0, a\x1b1, a\x1b10, )") && Catch::Matchers::EndsWith(", ..."));
    CHECK(error.size() < path.size() + 300);
}

AppModule tables_app(const std::string& name) {
    return {CPPCORN_TABLES_APP, parse_app_spec("m:" + name), host};
}

TEST_CASE("what the app's entry function fills in is what the server calls") {
    const AppModule module = tables_app("extended");
    const cppcorn_app& app = module.app();
    CHECK(app.size == sizeof app);
    REQUIRE(CPPCORN_HAS(&app, cppcorn_app, extension));
    REQUIRE(app.extension != nullptr);
    CHECK(app.extension(app.self, "test/1") == app.self);
    CHECK(app.extension(app.self, "other/1") == nullptr);
}

TEST_CASE("an app without an extension, or with a shorter table, has none") {
    const AppModule plain = tables_app("plain");
    CHECK(plain.app().handle != nullptr);
    CHECK(plain.app().extension == nullptr);

    const AppModule older = tables_app("older");
    CHECK(older.app().size == offsetof(cppcorn_app, extension));
    CHECK_FALSE(CPPCORN_HAS(&older.app(), cppcorn_app, extension));
    CHECK(older.app().destroy != nullptr);
    CHECK(older.app().extension == nullptr); // what it wrote beyond its size is not taken
}

TEST_CASE("an app whose table cannot be right is refused") {
    const std::string path = CPPCORN_TABLES_APP;
    CHECK(load_error(path, "m:no_handle") == path + ": no_handle set no handle function");
    CHECK(load_error(path, "m:own_table") == path + ": own_table set no handle function");
    CHECK(load_error(path, "m:too_short") ==
          path + ": too_short set the app's size to 23; possible are 24 to " + std::to_string(sizeof(cppcorn_app)));
    const std::string too_long = std::to_string(sizeof(cppcorn_app) + 1);
    CHECK_THAT(load_error(path, "m:too_long"), Contains(": too_long set the app's size to " + too_long + "; "));
}

TEST_CASE("what the loader refuses is passed on") {
    const TemporaryFolder folder;
    const std::string path = folder.write("x.so", elf_image::make(app_image())); // has nothing to load
    CHECK_THAT(load_error(path), StartsWith(path + ": cannot be loaded: "));
}

TEST_CASE("an undefined symbol is told with its C++ name and the remedy") {
    CHECK(explain_dl_error("./x.so", "/srv/x.so", "/srv/x.so: undefined symbol: _ZN3foo3barEi") ==
          "./x.so: undefined symbol _ZN3foo3barEi (foo::bar(int)): link the library that provides it");
    CHECK(explain_dl_error("./x.so", "/srv/x.so", "/srv/x.so: undefined symbol: foo, version BAR_1.2") ==
          "./x.so: undefined symbol foo: link the library that provides it");
    CHECK(explain_dl_error("./x.so", "/srv/x.so", "/usr/lib/libdep.so.1: undefined symbol: foo") ==
          "./x.so: undefined symbol foo in /usr/lib/libdep.so.1: link the library that provides it");
    CHECK(explain_dl_error("./x.so", "/srv/x.so", "Error relocating /srv/x.so: foo: symbol not found") ==
          "./x.so: undefined symbol foo: link the library that provides it");
}

TEST_CASE("a library that the app needs and the system lacks is named") {
    const std::string expected =
        "./x.so: needs libfoo.so.1, which cannot be found; install it, or link the app with an rpath to its directory";
    CHECK(explain_dl_error("./x.so", "/srv/x.so",
                           "libfoo.so.1: cannot open shared object file: No such file or directory") == expected);
    CHECK(explain_dl_error(
              "./x.so", "/srv/x.so",
              "Error loading shared library libfoo.so.1: No such file or directory (needed by /srv/x.so)") == expected);
    CHECK(explain_dl_error("./x.so", "/srv/x.so",
                           "/srv/x.so: cannot open shared object file: No such file or directory") ==
          "./x.so: cannot be loaded: /srv/x.so: cannot open shared object file: No such file or directory");
}

TEST_CASE("other complaints of the loader are one printable line") {
    CHECK(explain_dl_error("./x.so", "/srv/x.so", "/lib/libc.so.6: version `GLIBC_2.99' not found\n") ==
          R"(./x.so: cannot be loaded: /lib/libc.so.6: version `GLIBC_2.99' not found\x0a)");
}
