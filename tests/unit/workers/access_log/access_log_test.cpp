#include "workers/access_log/access_log.hpp"

#include <climits>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/error_log.hpp"
#include "base/log/log_file.hpp"
#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;

namespace {

AccessLogOptions options_for(const std::string& path, const std::string& format = "%(h)s %(s)s") {
    AccessLogOptions options;
    options.path = path;
    options.format = format;
    return options;
}

AccessRecord record_of(std::string_view remote, int status = 200) {
    AccessRecord record;
    record.remote_address = remote;
    record.status = status;
    return record;
}

// The writes that a log file makes of `lines` when it is a pipe.
std::vector<std::string> writes_to_pipe(const std::string& lines) {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC | O_DIRECT) == 0); // such a pipe gives back each write by itself
    REQUIRE(::fcntl(pipe[1], F_SETPIPE_SZ, 1 << 20) > 0);
    LogFile("-", pipe[1], StandardStream::moves).write(lines); // an open file of our own has no packets
    ::close(pipe[1]);
    std::vector<std::string> writes;
    std::string buffer(1 << 16, '\0');
    for (ssize_t count; (count = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
        writes.push_back(buffer.substr(0, static_cast<std::size_t>(count)));
    }
    ::close(pipe[0]);
    return writes;
}

} // namespace

TEST_CASE("an access log without a file does nothing") {
    AccessLog log(options_for("", "%(z)s"));
    CHECK_FALSE(log.active());
    CHECK_FALSE(log.wants_response_fields());
    log.write(record_of("a"));
    log.flush();
    log.reopen();
}

TEST_CASE("lines are gathered and written by flush, after what is there already") {
    const TemporaryFolder folder;
    const std::string path = folder.write("access.log", "old\n");
    AccessLog log(options_for(path));
    CHECK(log.active());
    log.write(record_of("a"));
    log.write(record_of("b", 404));
    CHECK(text_of(path) == "old\n");
    log.flush();
    CHECK(text_of(path) == "old\na 200\nb 404\n");
    log.flush();
    CHECK(text_of(path) == "old\na 200\nb 404\n");
}

TEST_CASE("the last lines are written when the log goes") {
    const TemporaryFolder folder;
    {
        AccessLog log(options_for(folder / "access.log"));
        log.write(record_of("a"));
    }
    CHECK(text_of(folder / "access.log") == "a 200\n");
}

TEST_CASE("what is gathered is bounded, and only whole lines are written") {
    const TemporaryFolder folder;
    const std::string path = folder / "access.log";
    AccessLog log(options_for(path, "%(h)s"));
    const std::string remote(1000, 'x');
    for (int i = 0; i < 65; ++i) log.write(record_of(remote));
    CHECK(text_of(path).empty());
    log.write(record_of(remote)); // 66 * 1001 bytes are more than 64 KiB
    CHECK(text_of(path).size() == 65 * 1001);
    log.flush();
    CHECK(text_of(path).size() == 66 * 1001);
    CHECK(text_of(path).substr(65 * 1001) == remote + '\n');
}

TEST_CASE("a line longer than the batch is written whole") {
    const TemporaryFolder folder;
    const std::string path = folder / "access.log";
    std::string format;
    for (int i = 0; i < 20; ++i) format += "%(h)s";
    AccessLog log(options_for(path, format));
    const std::string remote(8000, 'x');
    log.write(record_of(remote));
    CHECK(text_of(path).size() == 20 * 8000 + 1);
    log.write(record_of("y"));
    log.flush();
    CHECK(text_of(path).substr(20 * 8000 + 1) == std::string(20, 'y') + '\n');
}

TEST_CASE("the format is checked and response fields are wanted where it has them") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(AccessLog(options_for(folder / "a.log", "%(z)s")), std::invalid_argument);
    CHECK(AccessLog(options_for(folder / "a.log", "%({x}o)s")).wants_response_fields());
    CHECK_FALSE(AccessLog(options_for(folder / "a.log")).wants_response_fields());
}

TEST_CASE("an access log that cannot be opened is named") {
    const TemporaryFolder folder;
    const std::string path = folder / "missing/access.log";
    CHECK_THROWS_WITH(AccessLog(options_for(path)), "cannot open log file " + path + ": No such file or directory");
    CHECK_THROWS_AS(AccessLog(options_for(folder / ".")), std::system_error);
}

TEST_CASE("reopen writes to the new file what comes after it") {
    const TemporaryFolder folder;
    const std::string path = folder / "access.log";
    const std::string moved = folder / "access.log.1";
    AccessLog log(options_for(path));
    log.write(record_of("before"));
    REQUIRE(::rename(path.c_str(), moved.c_str()) == 0);
    log.reopen();
    log.write(record_of("after"));
    log.flush();
    CHECK(text_of(moved) == "before 200\n");
    CHECK(text_of(path) == "after 200\n");
}

TEST_CASE("reopen keeps the old file and complains where there can be no new one") {
    const TemporaryFolder folder;
    ErrorLogOptions errors;
    errors.path = folder / "error.log";
    open_error_log(errors);
    REQUIRE(::mkdir((folder / "d").c_str(), 0755) == 0);
    const std::string path = folder / "d/access.log";
    AccessLog log(options_for(path));
    REQUIRE(::rename((folder / "d").c_str(), (folder / "e").c_str()) == 0);
    log.reopen();
    open_error_log({});
    log.write(record_of("a"));
    log.flush();
    CHECK(text_of(folder / "e/access.log") == "a 200\n");
    CHECK_THAT(text_of(errors.path), Catch::Matchers::Contains("[ERROR] cannot open log file " + path));
}

TEST_CASE("a dash is stdout, which stays open and is not opened again") {
    const TemporaryFolder folder;
    const std::string path = folder.write("stdout", "");
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const int file = ::open(path.c_str(), O_WRONLY | O_APPEND);
        ::dup2(file, STDOUT_FILENO);
        {
            AccessLog log(options_for("-"));
            log.write(record_of("a"));
            log.reopen();
            log.write(record_of("b"));
        }
        ::_exit(::write(STDOUT_FILENO, "end\n", 4) == 4 ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(text_of(path) == "a 200\nb 200\nend\n");
}

TEST_CASE("children of a fork append to one file") {
    const TemporaryFolder folder;
    const std::string path = folder / "access.log";
    AccessLog log(options_for(path));
    log.write(record_of("parent"));
    log.flush();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        log.write(record_of("child"));
        log.flush();
        ::_exit(0);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    log.write(record_of("parent"));
    log.flush();
    CHECK(text_of(path) == "parent 200\nchild 200\nparent 200\n");
}

TEST_CASE("a full disk and a reader that has gone lose lines and nothing else") {
    AccessLog log(options_for("/dev/full"));
    log.write(record_of("a"));
    log.flush();
    log.write(record_of("b"));
    log.flush();

    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC) == 0);
    ::close(pipe[0]);
    const auto old = std::signal(SIGPIPE, SIG_IGN);
    LogFile("-", pipe[1]).write("line\n");
    std::signal(SIGPIPE, old);
    CHECK(::close(pipe[1]) == 0);
}

TEST_CASE("a non-blocking pipe that nobody reads is given up") {
    int pipe[2];
    REQUIRE(::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) == 0);
    LogFile file("-", pipe[1]);
    const auto begin = SteadyClock::now();
    file.write(std::string(200'000, 'x') + '\n');
    CHECK(SteadyClock::now() - begin < std::chrono::seconds(5));
    ::close(pipe[0]);
    ::close(pipe[1]);
}

TEST_CASE("lines to a pipe go in writes that the system keeps together") {
    std::string lines;
    for (int i = 0; i < 500; ++i)
        lines += std::to_string(i) + std::string(static_cast<std::size_t>(i % 97), 'x') + '\n';
    const std::vector<std::string> writes = writes_to_pipe(lines);
    std::string seen;
    for (const std::string& write : writes) {
        CHECK(write.size() <= PIPE_BUF);
        CHECK(write.back() == '\n');
        seen += write;
    }
    CHECK(seen == lines);
    CHECK(writes.size() == lines.size() / (PIPE_BUF - 100) + 1);
}

TEST_CASE("a write to a pipe is filled to the last byte and no further") {
    const std::string first = std::string(99, 'a') + '\n';
    const std::string fitting = std::string(PIPE_BUF - 101, 'b') + '\n';
    CHECK(writes_to_pipe(first + fitting + first) == std::vector<std::string>{first + fitting, first});
    const std::string longer = 'b' + fitting;
    CHECK(writes_to_pipe(first + longer) == std::vector<std::string>{first, longer});
}
