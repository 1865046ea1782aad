#include "base/log/log_file.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;
using namespace std::chrono_literals;
using Kind = LogNews::Kind;

namespace {

// A blocking descriptor to write to, and one to read from what was written.
struct Ends {
    Ends(int read_from, int write_to) : reader(read_from), writer(write_to) {}
    Ends(const Ends&) = delete;
    Ends& operator=(const Ends&) = delete;
    ~Ends() {
        close_reader();
        ::close(writer);
    }
    void close_reader() {
        if (reader >= 0) ::close(reader);
        reader = -1;
    }
    std::string read_all() {
        ::fcntl(reader, F_SETFL, O_NONBLOCK);
        std::string all;
        std::string buffer(1 << 16, '\0');
        for (ssize_t count; (count = ::read(reader, buffer.data(), buffer.size())) > 0;) {
            all.append(buffer, 0, static_cast<std::size_t>(count));
        }
        return all;
    }
    int reader;
    int writer;
};

Ends small_pipe() {
    int fds[2];
    REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
    REQUIRE(::fcntl(fds[1], F_SETPIPE_SZ, 4096) > 0);
    return {fds[0], fds[1]};
}

Ends stream_socket() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    return {fds[0], fds[1]};
}

const std::string line = std::string(99, 'x') + '\n';

// Writes lines until one is lost; then some more, which must not take any time.
void stuff(LogFile& file, int more) {
    for (int i = 0; i < 100'000; ++i) {
        if (file.write(line).kind == Kind::fails) break;
        REQUIRE(i < 99'999);
    }
    const auto began = SteadyClock::now();
    for (int i = 0; i < more; ++i) CHECK(file.write(line).kind == Kind::none);
    CHECK(SteadyClock::now() - began < 50ms * more);
}

void check_stopped_reader(Ends& ends, LogFile& file) {
    const int flags = ::fcntl(ends.writer, F_GETFL);
    stuff(file, 49);
    const std::string before = ends.read_all();
    CHECK(before.size() % line.size() == 0);
    const LogNews news = file.write("after\n");
    CHECK(news.kind == Kind::works_again);
    CHECK(news.lost == 50);
    CHECK(ends.read_all() == "after\n");
    CHECK(::fcntl(ends.writer, F_GETFL) == flags); // it is shared with others
}

} // namespace

TEST_CASE("a blocking pipe that nobody reads takes no time, and tells what was lost") {
    Ends ends = small_pipe();
    LogFile file("-", ends.writer);
    CHECK(file.fd() != ends.writer);
    check_stopped_reader(ends, file);
}

TEST_CASE("the same where the pipe cannot be opened once more") {
    Ends ends = small_pipe();
    LogFile file("-", ends.writer, StandardStream::moves);
    CHECK(file.fd() == ends.writer);
    check_stopped_reader(ends, file);
}

TEST_CASE("the same for a socket") {
    Ends ends = stream_socket();
    LogFile file("-", ends.writer);
    check_stopped_reader(ends, file);
}

TEST_CASE("a reader that has gone is told of once") {
    const auto old = std::signal(SIGPIPE, SIG_IGN);
    for (const auto make : {small_pipe, stream_socket}) {
        Ends ends = make();
        LogFile file("-", ends.writer);
        ends.close_reader();
        const LogNews news = file.write("one\n");
        CHECK(news.kind == Kind::fails);
        CHECK(news.error == EPIPE);
        CHECK(file.write("two\n").kind == Kind::none);
    }
    std::signal(SIGPIPE, old);
}

TEST_CASE("a full disk is told of once") {
    LogFile file("/dev/full", STDOUT_FILENO);
    const LogNews news = file.write("one\n");
    CHECK(news.kind == Kind::fails);
    CHECK(news.error == ENOSPC);
    CHECK(file.write("two\n").kind == Kind::none);
}

TEST_CASE("a reader that is merely slow loses nothing") {
    Ends ends = small_pipe();
    LogFile file("-", ends.writer);
    std::string seen;
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(ends.reader);
        for (int i = 0; i < 200; ++i) file.write(line);
        ::_exit(0);
    }
    ::close(ends.writer);
    ends.writer = -1;
    file = LogFile("/dev/null", STDOUT_FILENO);
    std::string buffer(1 << 16, '\0');
    for (ssize_t count; (count = ::read(ends.reader, buffer.data(), 512)) > 0;) {
        seen.append(buffer, 0, static_cast<std::size_t>(count));
    }
    CHECK(seen.size() == 200 * line.size());
    CHECK(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("a named pipe keeps the lines for a reader that comes later") {
    const TemporaryFolder folder;
    const std::string path = folder / "fifo";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    LogFile file(path, STDOUT_FILENO);
    CHECK(file.write("early\n").kind == Kind::none);
    Ends ends{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), -1};
    CHECK(ends.read_all() == "early\n");
}

TEST_CASE("a standard stream that is opened again is the same, with all that it knows") {
    Ends ends = small_pipe();
    LogFile file("-", ends.writer);
    const int fd = file.fd();
    stuff(file, 9);
    file.reopen();
    CHECK(file.fd() == fd);
    CHECK(file.write(line).kind == Kind::none);
    ends.read_all();
    CHECK(file.write(line).lost == 11);
}

TEST_CASE("losses are told of now and then only") {
    LogLoss loss;
    const SteadyTime start{};
    CHECK(loss.note(0, 0, start).kind == Kind::none);
    CHECK(loss.note(2, ENOSPC, start).kind == Kind::fails);
    CHECK(loss.note(3, ENOSPC, start).kind == Kind::none);
    CHECK(loss.note(0, 0, start).lost == 5);
    CHECK_FALSE(loss.any());
    CHECK(loss.note(1, EAGAIN, start + 1s).kind == Kind::none);
    CHECK(loss.note(0, 0, start + 2s).kind == Kind::none);
    CHECK(loss.any());
    const LogNews later = loss.note(0, 0, start + LogLoss::quiet_time);
    CHECK(later.kind == Kind::works_again);
    CHECK(later.lost == 1);
}

TEST_CASE("names of the standard streams") {
    CHECK(standard_stream("-", 1) == 1);
    CHECK(standard_stream("-", 2) == 2);
    const std::string one = GENERATE("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1");
    CHECK(standard_stream(one, 2) == 1);
    const std::string two = GENERATE("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2");
    CHECK(standard_stream(two, 1) == 2);
    for (const char* path : {"", "log", "/dev/null", "/dev/stdin", "/dev/fd/3", "/dev/stdout2", "/dev/std1/"}) {
        CAPTURE(path);
        CHECK_FALSE(standard_stream(path, 1).has_value());
    }
}

namespace {

constexpr FileOwner somebody{12345, 54321};

bool may_give() {
    if (::geteuid() == 0) return true;
    WARN("not tried: only root can give files away");
    return false;
}

FileOwner owner_of(const std::string& path) {
    struct stat info {};
    REQUIRE(::lstat(path.c_str(), &info) == 0);
    return {info.st_uid, info.st_gid};
}

void open_for_somebody(const std::string& path) {
    const LogFile file(path, 2, StandardStream::stays, {Links::roots_only, somebody});
}

} // namespace

TEST_CASE("with a guard, a log that is made is given to the workers' user, and no other is") {
    if (!may_give()) return;
    const TemporaryFolder folder;
    const std::string log = folder / "some.log";
    SECTION("one that is made") {
        open_for_somebody(log);
        CHECK(owner_of(log).uid == somebody.uid);
        CHECK(owner_of(log).gid == somebody.gid);
    }
    SECTION("one that is there") {
        folder.write("some.log", "lines\n");
        open_for_somebody(log);
        CHECK(owner_of(log).uid == 0);
        CHECK(text_of(log) == "lines\n");
    }
}

TEST_CASE("with a guard, a log that is a link is refused") {
    if (!may_give()) return;
    const TemporaryFolder folder;
    const std::string treasure = folder.write("treasure", "gold");
    const std::string log = folder / "some.log";
    SECTION("a symbolic link") {
        std::filesystem::create_symlink(treasure, log);
    }
    SECTION("a dangling one") {
        std::filesystem::create_symlink(folder / "nothing", log);
    }
    SECTION("another name of the file") {
        std::filesystem::create_hard_link(treasure, log);
    }
    CHECK_THROWS_AS(open_for_somebody(log), std::system_error);
    CHECK(owner_of(treasure).uid == 0);
    CHECK(text_of(treasure) == "gold");
    CHECK_FALSE(std::filesystem::exists(folder / "nothing"));
}
