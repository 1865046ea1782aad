#include "base/log/error_log.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <regex>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/log/logged_request.hpp"
#include "base/shared_array.hpp"
#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;

namespace {

// The log of one test; stderr is the log again afterwards.
class TestLog {
  public:
    explicit TestLog(LogLevel level = LogLevel::info, LogFormat format = LogFormat::text) {
        options.format = format;
        options.path = folder / "error.log";
        options.level = level;
        open_error_log(options);
    }
    ~TestLog() { open_error_log({}); }

    std::string text() const { return text_of(options.path); }

    TemporaryFolder folder;
    ErrorLogOptions options;
};

// What `body` returns in a child process; 255 if it did not return.
int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        int result = 254;
        try {
            result = body();
        } catch (...) {
        }
        ::_exit(result);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

std::string line_of(pid_t pid, const std::string& level, const std::string& text) {
    return "] [" + std::to_string(pid) + "] [" + level + "] " + text + "\n";
}

} // namespace

TEST_CASE("a line of the error log looks as gunicorn's does") {
    const TestLog log;
    spdlog::info("Starting cppcorn {}", "1.2.3");
    const std::regex form(
        R"(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[(\d+)\] \[INFO\] Starting cppcorn 1\.2\.3\n)");
    const std::string text = log.text();
    std::smatch match;
    REQUIRE(std::regex_match(text, match, form));
    CHECK(match[1] == std::to_string(::getpid()));
}

TEST_CASE("a line about a request ends with its id, of several lines the first one") {
    const TestLog log;
    {
        const LoggedRequest logged({"the-id", "GET / HTTP/1.1", "192.0.2.1"});
        spdlog::info("one");
        spdlog::error("two\n  more");
        std::thread([] { spdlog::info("another thread's"); }).join();
        {
            const LoggedRequest none({});
            spdlog::info("none");
        }
        spdlog::info("again");
    }
    spdlog::info("after");
    const std::string text = log.text();
    CHECK_THAT(text, Contains("one request_id=the-id\n"));
    CHECK_THAT(text, Contains("two request_id=the-id\n  more\n"));
    CHECK_THAT(text, Contains("another thread's\n"));
    CHECK_THAT(text, Contains("none\n"));
    CHECK_THAT(text, Contains("again request_id=the-id\n"));
    CHECK_THAT(text, EndsWith("after\n"));
}

TEST_CASE("as JSON, each line is an object with the same facts") {
    const TestLog log(LogLevel::info, LogFormat::json);
    spdlog::info("Starting cppcorn {}", "1.2.3");
    const std::regex form(
        R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"info","pid":(\d+),"role":"master",)"
        R"("message":"Starting cppcorn 1\.2\.3"\}\n)");
    const std::string text = log.text();
    std::smatch match;
    REQUIRE(std::regex_match(text, match, form));
    CHECK(match[1] == std::to_string(::getpid()));
}

TEST_CASE("as JSON, a line about a request has that in members of its own") {
    const TestLog log(LogLevel::info, LogFormat::json);
    const LoggedRequest logged({"the-id", "GET /\"\xff HTTP/1.1", "192.0.2.1"});
    spdlog::warn("one\ntwo");
    CHECK_THAT(log.text(), EndsWith(R"("level":"warning","pid":)" + std::to_string(::getpid()) +
                                    R"(,"role":"master","message":"one\u000atwo","request_id":"the-id",)"
                                    R"("request":"GET /\"\ufffd HTTP/1.1","client":"192.0.2.1"})"
                                    "\n"));
}

TEST_CASE("as JSON, no message breaks its line or the encoding") {
    const TestLog log(LogLevel::info, LogFormat::json);
    std::string all;
    for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
    spdlog::info("{}", all);
    const std::string text = log.text();
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    CHECK(std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= ' ' && c < 0x7f; }));
}

TEST_CASE("the error log's zone is written without a colon") {
    ::setenv("TZ", "IST-5:30", 1);
    ::tzset();
    const TestLog log;
    spdlog::info("x");
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    CHECK_THAT(log.text(), Contains(" +0530] ["));
}

TEST_CASE("levels have gunicorn's names and are filtered") {
    const auto names_at = [](LogLevel level) {
        const TestLog log(level);
        spdlog::debug("x");
        spdlog::info("x");
        spdlog::warn("x");
        spdlog::error("x");
        spdlog::critical("x");
        std::string names;
        const std::string text = log.text();
        const std::regex name(R"(\[([A-Z]+)\] x\n)");
        for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it)
            names += (*it)[1].str() + ' ';
        return names;
    };
    CHECK(names_at(LogLevel::debug) == "DEBUG INFO WARNING ERROR CRITICAL ");
    CHECK(names_at(LogLevel::info) == "INFO WARNING ERROR CRITICAL ");
    CHECK(names_at(LogLevel::warning) == "WARNING ERROR CRITICAL ");
    CHECK(names_at(LogLevel::error) == "ERROR CRITICAL ");
    CHECK(names_at(LogLevel::critical) == "CRITICAL ");
}

TEST_CASE("lines are counted by level, those of children too, where somebody asks") {
    const TestLog log;
    SharedArray<LogLineCounts> counts(1);
    spdlog::error("before");
    count_log_lines(&counts[0]);
    spdlog::info("info");
    spdlog::warn("warning");
    spdlog::error("error");
    in_child([] {
        spdlog::error("error");
        spdlog::critical("critical");
        return 0;
    });
    count_log_lines(nullptr);
    spdlog::error("after");
    CHECK(counts[0].warnings.value() == 1);
    CHECK(counts[0].errors.value() == 2);
    CHECK(counts[0].criticals.value() == 1);
}

TEST_CASE("a child's line has the child's pid, and nothing is written twice") {
    const TestLog log;
    spdlog::info("parent");
    REQUIRE(in_child([] {
                spdlog::info("child of {}", ::getppid());
                return 0;
            }) == 0);
    const std::regex form(R"(\[[^\]]*\] \[(\d+)\] \[INFO\] parent\n\[[^\]]*\] \[(\d+)\] \[INFO\] child of (\d+)\n)");
    const std::string text = log.text();
    std::smatch match;
    REQUIRE(std::regex_match(text, match, form));
    CHECK(match[1] == std::to_string(::getpid()));
    CHECK(match[3] == std::to_string(::getpid()));
    CHECK(match[2] != match[1]);
}

TEST_CASE("the file is appended to, and its descriptor is not inherited by programs") {
    TestLog log;
    spdlog::info("one");
    open_error_log(log.options);
    spdlog::info("two");
    CHECK_THAT(log.text(),
               Contains(line_of(::getpid(), "INFO", "one")) && EndsWith(line_of(::getpid(), "INFO", "two")));
    CHECK((::fcntl(error_log_fd(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(error_log_fd(), F_GETFL) & O_APPEND) != 0);
}

TEST_CASE("reopening follows a file that was moved away") {
    const TestLog log;
    spdlog::info("before");
    const std::string moved = log.folder / "error.log.1";
    REQUIRE(::rename(log.options.path.c_str(), moved.c_str()) == 0);
    spdlog::info("meanwhile");
    reopen_error_log();
    spdlog::info("after");
    CHECK_THAT(text_of(moved), EndsWith(line_of(::getpid(), "INFO", "meanwhile")));
    CHECK_THAT(log.text(), Contains("after") && !Contains("meanwhile"));
}

TEST_CASE("a log that cannot be opened leaves the old one in place") {
    TestLog log;
    const int fd = error_log_fd();
    ErrorLogOptions broken = log.options;
    broken.path = log.folder / "missing/error.log";
    broken.level = LogLevel::critical;
    CHECK_THROWS_WITH(open_error_log(broken), "cannot open log file " + broken.path + ": No such file or directory");
    CHECK_THROWS_AS(open_error_log(broken), std::system_error);
    CHECK(error_log_fd() == fd);
    spdlog::info("still here");
    CHECK_THAT(log.text(), EndsWith(line_of(::getpid(), "INFO", "still here")));

    change_error_log(broken);
    CHECK_THAT(log.text(), Contains("[ERROR] cannot open log file " + broken.path));
}

TEST_CASE("a crash handler may write to the log's descriptor") {
    const TestLog log;
    REQUIRE(error_log_fd() > STDERR_FILENO);
    REQUIRE(::write(error_log_fd(), "crash\n", 6) == 6);
    CHECK(log.text() == "crash\n");
}

TEST_CASE("a dash is stderr") {
    const TemporaryFolder folder;
    const std::string path = folder.write("stderr", "");
    REQUIRE(in_child([&] {
                ::dup2(::open(path.c_str(), O_WRONLY | O_APPEND), STDERR_FILENO);
                open_error_log({});
                spdlog::warn("to stderr");
                reopen_error_log();
                spdlog::warn("again");
                return error_log_fd() == STDERR_FILENO ? 0 : 1;
            }) == 0);
    CHECK_THAT(text_of(path), Contains("[WARNING] to stderr\n") && EndsWith("[WARNING] again\n"));
}

TEST_CASE("captured output goes to the file, also after it was reopened") {
    const TestLog log;
    const std::string moved = log.folder / "moved";
    REQUIRE(in_child([&] {
                ErrorLogOptions options = log.options;
                options.capture_output = true;
                open_error_log(options);
                if (::write(STDOUT_FILENO, "out\n", 4) != 4 || ::write(STDERR_FILENO, "err\n", 4) != 4) return 1;
                ::rename(options.path.c_str(), moved.c_str());
                reopen_error_log();
                return ::write(STDOUT_FILENO, "new\n", 4) == 4 ? 0 : 2;
            }) == 0);
    CHECK(text_of(moved) == "out\nerr\n");
    CHECK(log.text() == "new\n");
}

TEST_CASE("output is not captured where the log is stderr or nobody asked") {
    const TemporaryFolder folder;
    const std::string path = folder.write("stdout", "");
    const auto writes_to_stdout = [&](bool capture, const std::string& error_log) {
        return in_child([&] {
                   ::dup2(::open(path.c_str(), O_WRONLY | O_TRUNC), STDOUT_FILENO);
                   ErrorLogOptions options;
                   options.capture_output = capture;
                   options.path = error_log;
                   open_error_log(options);
                   return ::write(STDOUT_FILENO, "out\n", 4) == 4 ? 0 : 1;
               }) == 0 &&
               text_of(path) == "out\n";
    };
    CHECK(writes_to_stdout(true, "-"));
    CHECK(writes_to_stdout(false, folder / "error.log"));
    CHECK_FALSE(writes_to_stdout(true, folder / "error.log"));
}

TEST_CASE("a full disk or a closed pipe loses lines and nothing else") {
    CHECK(in_child([] {
              ErrorLogOptions options;
              options.path = "/dev/full";
              open_error_log(options);
              for (int i = 0; i < 3; ++i) spdlog::error("lost");
              return 0;
          }) == 0);
    CHECK(in_child([] {
              std::signal(SIGPIPE, SIG_IGN);
              int pipe[2];
              if (::pipe(pipe) != 0) return 1;
              ::close(pipe[0]);
              ::dup2(pipe[1], STDERR_FILENO);
              open_error_log({});
              for (int i = 0; i < 3; ++i) spdlog::error("lost");
              return 0;
          }) == 0);
}

TEST_CASE("syslog may come and go at run time beside the file") {
    TestLog log;
    log.options.syslog = true;
    log.options.program = "myapp:create(\"x\")";
    log.options.syslog_facility = "local3";
    open_error_log(log.options);
    spdlog::info("to both");
    open_error_log(log.options);
    log.options.syslog = false;
    open_error_log(log.options);
    spdlog::info("to one");
    CHECK_THAT(log.text(), Contains("[INFO] to both\n") && EndsWith("[INFO] to one\n"));
}

TEST_CASE("escaped text is printable ASCII that can be read back") {
    CHECK(escaped("GET /a?b=1 HTTP/1.1") == "GET /a?b=1 HTTP/1.1");
    CHECK(escaped("") == "");
    CHECK(escaped(R"(a"b\c)") == R"(a\"b\\c)");
    CHECK(escaped("\r\n\t\x1b[0m\x7f") == R"(\x0d\x0a\x09\x1b[0m\x7f)");
    CHECK(escaped("\xc3\xa9\xff\x80") == R"(\xc3\xa9\xff\x80)");
    CHECK(escaped(std::string_view("a\0b", 3)) == R"(a\x00b)");
    CHECK(escaped("~ !") == "~ !");
}

// Many bytes are looked at at a time.
TEST_CASE("readable text keeps UTF-8 and lines, and nothing that terminals obey") {
    CHECK(readable("a \"b\" \\ c\n\td") == "a \"b\" \\ c\n\td");
    CHECK(readable("\u00e9 \u20ac \U0001f33d") == "\u00e9 \u20ac \U0001f33d");
    CHECK(readable("\x1b[0m\r\x7f") == R"(\x1b[0m\x0d\x7f)");
    CHECK(readable("\u0085\u2028") == R"(\xc2\x85\xe2\x80\xa8)");
    CHECK(readable("\xc3(\xff\xe2\x82") == R"(\xc3(\xff\xe2\x82)");
}

TEST_CASE("escaped text: each byte in each place of a long one") {
    constexpr std::string_view hex = "0123456789abcdef";
    for (std::size_t place = 0; place < 37; ++place) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string text(37, 'x');
            text[place] = static_cast<char>(byte);
            std::string expected(1, text[place]);
            if (byte == '"' || byte == '\\') {
                expected.insert(0, 1, '\\');
            } else if (byte < 0x20 || byte >= 0x7f) {
                expected = {'\\', 'x', hex[static_cast<std::size_t>(byte) / 16],
                            hex[static_cast<std::size_t>(byte) % 16]};
            }
            std::string around(37, 'x');
            around.replace(place, 1, expected);
            if (escaped(text) != around) FAIL("byte " << byte << " at " << place);
        }
    }
}
