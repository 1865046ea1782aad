// Starts or not, by the first letter of the file that MOOD names: "f" fails, "h" hangs, "w" waits until that is changed.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <cppcorn/app.hpp>
#include <unistd.h>

namespace {

char mood() {
    std::ifstream file(std::getenv("MOOD"));
    return static_cast<char>(file.get());
}

void start() {
    while (mood() == 'w') ::usleep(10'000);
    if (mood() == 'f') throw std::runtime_error("not in the mood");
    while (mood() == 'h') ::pause();
}

cppcorn::Response app(cppcorn::Request& request) {
    if (request.path() == "/die") ::raise(SIGKILL);
    return {200, {{"Content-Type", "text/plain"}}, std::to_string(::getpid())};
}

} // namespace

CPPCORN_APP_AS(app, cppcorn::with_hooks(app, start))
