// Waits in each of the system calls that a signal breaks off, SA_RESTART or not, and answers what it saw; and starts
// children in each way that there is, which tell what became of their signals.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <string>

#include <cppcorn/app.hpp>
#include <poll.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

using Milliseconds = long;

timespec span(Milliseconds ms) {
    return {ms / 1000, ms % 1000 * 1'000'000};
}

timespec from_now(Milliseconds ms) {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += ms % 1000 * 1'000'000;
    if (time.tv_nsec >= 1'000'000'000) {
        time.tv_sec++;
        time.tv_nsec -= 1'000'000'000;
    }
    return time;
}

// Two ends over which nothing is ever sent.
struct Silence {
    Silence() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    }
    ~Silence() {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    int ends[2];
};

// ---- The waits. Each returns what the call did.

int wait_in_nanosleep(Milliseconds ms) {
    const timespec time = span(ms);
    return ::nanosleep(&time, nullptr);
}

int wait_in_clock_nanosleep(Milliseconds ms) {
    const timespec time = span(ms);
    errno = ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
    return errno == 0 ? 0 : -1;
}

int wait_in_poll(Milliseconds ms) {
    const Silence silence;
    pollfd entry{silence.ends[0], POLLIN, 0};
    return ::poll(&entry, 1, static_cast<int>(ms));
}

int wait_in_select(Milliseconds ms) {
    const Silence silence;
    fd_set wanted;
    FD_ZERO(&wanted);
    FD_SET(silence.ends[0], &wanted);
    timeval time{ms / 1000, ms % 1000 * 1000};
    return ::select(silence.ends[0] + 1, &wanted, nullptr, nullptr, &time);
}

int wait_in_epoll(Milliseconds ms) {
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    const int result = ::epoll_wait(epoll, &event, 1, static_cast<int>(ms));
    const int error = errno;
    ::close(epoll);
    errno = error;
    return result;
}

int wait_in_recv(Milliseconds ms) {
    const Silence silence;
    const timeval time{ms / 1000, ms % 1000 * 1000};
    ::setsockopt(silence.ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    char byte = 0;
    const auto got = static_cast<int>(::recv(silence.ends[0], &byte, 1, 0));
    return got < 0 && errno == EAGAIN ? 0 : got;
}

int wait_in_sem_timedwait(Milliseconds ms) {
    sem_t semaphore;
    ::sem_init(&semaphore, 0, 0);
    const timespec until = from_now(ms);
    const int result = ::sem_timedwait(&semaphore, &until);
    return result != 0 && errno == ETIMEDOUT ? 0 : result;
}

int wait_in_semtimedop(Milliseconds ms) {
    const int semaphore = ::semget(IPC_PRIVATE, 1, 0600);
    sembuf operation{0, -1, 0};
    const timespec time = span(ms);
    const int result = ::semtimedop(semaphore, &operation, 1, &time);
    const int error = errno;
    ::semctl(semaphore, 0, IPC_RMID);
    errno = error;
    return result != 0 && error == EAGAIN ? 0 : result;
}

int wait_in_sigtimedwait(Milliseconds ms) {
    sigset_t never;
    ::sigemptyset(&never);
    ::sigaddset(&never, SIGRTMIN);
    const timespec time = span(ms);
    const int result = ::sigtimedwait(&never, nullptr, &time);
    return result < 0 && errno == EAGAIN ? 0 : result;
}

constexpr struct {
    const char* path;
    int (*wait)(Milliseconds);
} waits[] = {
    {"/nanosleep", wait_in_nanosleep},
    {"/clock_nanosleep", wait_in_clock_nanosleep},
    {"/poll", wait_in_poll},
    {"/select", wait_in_select},
    {"/epoll_wait", wait_in_epoll},
    {"/recv", wait_in_recv},
    {"/semtimedop", wait_in_semtimedop},
    {"/sem_timedwait", wait_in_sem_timedwait},
    {"/sigtimedwait", wait_in_sigtimedwait},
};

// ---- Children

const char* const show_signals = "grep -E '^Sig(Blk|Ign)' /proc/self/status";

int spawn(char* const* arguments) {
    pid_t child = 0;
    return ::posix_spawn(&child, arguments[0], nullptr, nullptr, arguments, environ) == 0 ? child : -1;
}

int fork_and_exec(char* const* arguments) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::execv(arguments[0], arguments);
    ::_exit(127);
}

// What a child that is started so writes, which is what became of its signals.
std::string said_by_child(int (*start)(char* const*)) {
    int ends[2];
    if (::pipe(ends) != 0) return "";
    std::string command = std::string(show_signals) + " >/dev/fd/" + std::to_string(ends[1]);
    std::string shell = "/bin/sh";
    std::string option = "-c";
    char* const arguments[] = {shell.data(), option.data(), command.data(), nullptr};
    const int child = start(arguments);
    ::close(ends[1]);
    std::string said;
    char piece[256];
    for (ssize_t got; (got = ::read(ends[0], piece, sizeof piece)) > 0;)
        said.append(piece, static_cast<std::size_t>(got));
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return said;
}

std::string said_by_popen() {
    std::FILE* const pipe = ::popen(show_signals, "r");
    if (pipe == nullptr) return "";
    std::string said;
    char piece[256];
    while (std::fgets(piece, sizeof piece, pipe) != nullptr) said += piece;
    ::pclose(pipe);
    return said;
}

Response text(std::string text) {
    return {200, {{"Content-Type", "text/plain"}}, std::move(text)};
}

// ---- Standing still

// In a signal's handler that never returns, once the answer is out.
void hang_soon() {
    std::signal(SIGALRM, [](int) {
        for (;;) ::pause();
    });
    ::ualarm(50'000, 0);
}

} // namespace

class Waits {
  public:
    Response operator()(Request& request) {
        const std::string_view path = request.path();
        for (const auto& each : waits) {
            if (path == each.path) return wait(request, each.wait);
        }
        if (path == "/pid") return text(std::to_string(::getpid()) + "\n");
        if (path == "/posix_spawn") return text(said_by_child(spawn));
        if (path == "/fork") return text(said_by_child(fork_and_exec));
        if (path == "/popen") return text(said_by_popen());
        if (path == "/hang-soon") {
            hang_soon();
            return text("soon\n");
        }
        return {404, {}, "no such call\n"};
    }

    void worker_exit() {
        while (std::getenv("HANG_AT_EXIT") != nullptr) ::pause();
    }

  private:
    static Response wait(Request& request, int (*call)(Milliseconds)) {
        request.log(LogLevel::info, "waits: in " + std::string(request.path()));
        const Milliseconds ms = std::atol(request.query_param("ms").value_or("0").c_str());
        errno = 0;
        return text(call(ms) == 0 ? "waited\n" : "broken off: " + std::string(std::strerror(errno)) + "\n");
    }
};
CPPCORN_APP_CLASS(app, Waits)
