// Does while it is loaded what a process that is forked from has to cope with: counts forks, takes a signal, and with
// MOLDED_THREAD has a thread. Answers with the process that loaded it, the forks since, and the process's parent.
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <cppcorn/app.hpp>
#include <pthread.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

std::atomic<int> forks{0};
const pid_t loaded_in = ::getpid();

void load() {
    ::pthread_atfork(nullptr, nullptr, [] { ++forks; });
    std::signal(SIGTERM, [](int) {});
    if (std::getenv("MOLDED_THREAD") == nullptr) return;
    // So that a fork finds the heap's lock held. Through an atomic: what nobody can see, a compiler leaves out.
    static std::atomic<void*> block{nullptr};
    std::thread([] {
        for (;;) {
            block = std::malloc(1 << 20);
            std::free(block.exchange(nullptr));
        }
    }).detach();
}

} // namespace

class Molded {
  public:
    Molded() { load(); }
    ~Molded() { log(LogLevel::info, "molded: destroyed"); }

    Response operator()(Request&) {
        return {200,
                {},
                std::to_string(loaded_in) + " " + std::to_string(forks.load()) + " " + std::to_string(::getppid())};
    }
};
CPPCORN_APP_CLASS(app, Molded)
