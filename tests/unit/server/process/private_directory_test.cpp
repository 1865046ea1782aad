#include "server/process/private_directory.hpp"

#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace {

// The session's directory is a folder of the test's.
class Session {
  public:
    Session() {
        if (const char* before = std::getenv(variable)) before_ = before;
        ::setenv(variable, folder_.path().c_str(), 1);
    }
    ~Session() { before_.empty() ? ::unsetenv(variable) : ::setenv(variable, before_.c_str(), 1); }

    void make(const std::string& name, mode_t mode) const {
        std::filesystem::create_directory(folder_ / name);
        REQUIRE(::chmod((folder_ / name).c_str(), mode) == 0);
    }
    mode_t mode_of(const std::string& name) const {
        struct stat info {};
        REQUIRE(::stat((folder_ / name).c_str(), &info) == 0);
        return info.st_mode & 0777;
    }
    std::string path(const std::string& name) const {
        return (std::filesystem::canonical(folder_.path()) / name).string();
    }

  private:
    static constexpr const char* variable = "XDG_RUNTIME_DIR";
    TemporaryFolder folder_;
    std::string before_;
};

} // namespace

TEST_CASE("a private directory is nobody else's, and made where there is none", "[private_directory]") {
    const Session session;
    CHECK(private_directory(false) == session.path("cppcorn-copies"));
    CHECK((session.mode_of("cppcorn-copies") & 0066) == 0);
    CHECK(private_directory(false) == session.path("cppcorn-copies"));
}

TEST_CASE("a private directory that was there keeps its mode", "[private_directory]") {
    const Session session;
    session.make("cppcorn", 0755); // a service's own
    session.make("cppcorn-copies", 0755);
    CHECK(private_directory(false) == session.path("cppcorn-copies"));
    CHECK(session.mode_of("cppcorn-copies") == 0755);
    CHECK(session.mode_of("cppcorn") == 0755);
}
