// Fails in every way that an app can: what the server's supervision is tested with.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include <cppcorn/app.hpp>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

long number(const Request& request, const char* name) {
    return std::strtol(request.query_param(name).value_or("0").c_str(), nullptr, 10);
}

Response text(std::string text) {
    return {200, {{"Content-Type", "text/plain"}}, std::move(text)};
}

// The whole time, however many signals arrive meanwhile.
void sleep_ms(long ms) {
    timespec left{ms / 1000, ms % 1000 * 1'000'000};
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

[[noreturn]] void spin() {
    const volatile bool forever = true;
    while (forever) {
    }
    std::abort();
}

// Deaf to the signals by which a process is asked to end.
[[noreturn]] void hang_deaf() {
    sigset_t asked;
    ::sigemptyset(&asked);
    for (const int number : {SIGTERM, SIGABRT, SIGINT, SIGQUIT}) {
        ::sigaddset(&asked, number);
        std::signal(number, SIG_IGN);
    }
    ::sigprocmask(SIG_BLOCK, &asked, nullptr);
    for (;;) ::pause();
}

[[noreturn]] __attribute__((no_sanitize("undefined"))) void segv() {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
    std::abort();
}

// Leaves a process behind whose parent has gone: it is process 1's, then.
Response orphan(long ms) {
    const pid_t child = ::fork();
    if (child == 0) {
        if (::fork() == 0) sleep_ms(ms);
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    return text("left\n");
}

Response short_body() {
    Response response = text("");
    response.headers.set("Content-Length", "100");
    response.body = [](Writer& out) { out.write("only this\n"); };
    return response;
}

Response late_throw() {
    Response response = text("");
    response.body = [](Writer& out) {
        out.write("first half\n");
        out.flush();
        throw std::runtime_error("faults: thrown late");
    };
    return response;
}

} // namespace

class Faults {
  public:
    void worker_start(const Worker& worker) {
        worker.log(LogLevel::info, "faults: worker_start slot=" + std::to_string(worker.slot()));
    }
    void worker_exit() { log(LogLevel::info, "faults: worker_exit"); }

    Response operator()(Request& request) {
        ++count_;
        const std::string_view path = request.path();
        if (path == "/") return text("ok\n");
        if (path == "/pid") return text(std::to_string(::getpid()) + "\n");
        if (path == "/count") return text(std::to_string(count_) + "\n");
        if (path == "/env") return env(request);
        if (path == "/big") return text(std::string(static_cast<std::size_t>(number(request, "bytes")), 'x'));
        if (path == "/sleep") return sleep(request);
        if (path == "/leak") return leak(static_cast<std::size_t>(number(request, "mb")));
        if (path == "/orphan") return orphan(number(request, "ms"));
        if (path == "/short") return short_body();
        if (path == "/late-throw") return late_throw();
        if (path == "/throw") throw std::runtime_error("faults: thrown");
        if (path == "/segv") segv();
        if (path == "/abort") std::abort();
        if (path == "/exit") ::_exit(0);
        if (path == "/spin") spin();
        if (path == "/deaf") hang_deaf();
        return {404, {{"Content-Type", "text/plain"}}, "no such fault\n"};
    }

  private:
    static Response env(const Request& request) {
        const char* const value = std::getenv(request.query_param("name").value_or("").c_str());
        if (value == nullptr) return {404, {{"Content-Type", "text/plain"}}, "not set\n"};
        return text(std::string(value) + "\n");
    }

    static Response sleep(const Request& request) {
        const long ms = number(request, "ms");
        sleep_ms(ms);
        return text("slept " + std::to_string(ms) + " ms\n");
    }

    Response leak(std::size_t mb) {
        leaked_.emplace_back(mb * 1024 * 1024, '\1'); // written to, so that it is resident
        return text("kept " + std::to_string(mb) + " MB more\n");
    }

    long count_ = 0;
    std::vector<std::vector<char>> leaked_;
};
CPPCORN_APP_CLASS(app, Faults)
