// Forks without starting another program, and goes on in the child: what libraries do that make themselves daemons.
// FORKS_IN_START says that worker_start does so, too.
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include <cppcorn/app.hpp>
#include <sys/wait.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

[[noreturn]] void wait_for_signal() {
    for (;;) ::pause();
}

// A process that lives on, by itself. Returns its pid.
pid_t start_daemon() {
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::setsid();
    wait_for_signal();
}

int status_of(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

Response text(std::string text) {
    return {200, {{"Content-Type", "text/plain"}}, std::move(text) + "\n"};
}

Response written_by_child() {
    const pid_t child = ::fork();
    Response response = text("");
    response.body = [child](Writer& out) {
        if (child != 0) status_of(child);
        out.write(child == 0 ? "the child's\n" : "the parent's\n");
        out.flush();
    };
    return response;
}

Response crash_of_child() {
    const pid_t child = ::fork();
    if (child == 0) std::abort();
    return text(std::to_string(WTERMSIG(status_of(child))));
}

// A child that stops itself, and later looks at its request once more.
Response looked_at_by_child(std::string_view path) {
    const std::string before(path);
    const pid_t child = ::fork();
    if (child != 0) return text(std::to_string(child));
    ::raise(SIGSTOP);
    const std::string_view said = path == before ? "forks: the same\n" : "forks: another\n";
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, said.data(), said.size());
    ::_exit(0);
}

} // namespace

class Forks {
  public:
    void worker_start() {
        if (std::getenv("FORKS_IN_START") == nullptr) return;
        if (const pid_t child = ::fork(); child != 0) status_of(child);
    }

    Response operator()(Request& request) {
        const std::string_view path = request.path();
        if (path == "/daemon") return text(std::to_string(start_daemon()));
        if (path == "/return") {
            const pid_t child = ::fork();
            return text(child == 0 ? "the child's" : std::to_string(status_of(child)));
        }
        if (path == "/write") return written_by_child();
        if (path.substr(0, 6) == "/look/") return looked_at_by_child(path);
        if (path == "/crash") return crash_of_child();
        return text(std::to_string(::getpid()));
    }
};
CPPCORN_APP_CLASS(app, Forks)
