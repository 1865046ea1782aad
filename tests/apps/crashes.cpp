// Crashes in the ways that a post-mortem has to tell apart, deep enough in functions of its own. Built with debug
// information, as docs/app-guide.md says. CRASHES_IN names a hook to crash or to exit in, or
// has the module hang while it is loaded.
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <cppcorn/app.hpp>
#include <pthread.h>
#include <unistd.h>

using namespace cppcorn;

namespace shop {

struct Cart {
    int items;
};

Cart* volatile no_cart = nullptr;
void (*volatile nowhere)() = nullptr;

// Each marked line is looked for in the log.
__attribute__((always_inline, no_sanitize("undefined"))) inline int count(const Cart* cart) {
    return cart->items + 1; // line of count
}

[[gnu::noinline]] int total(const std::string& owner) {
    return count(no_cart) + static_cast<int>(owner.size()); // line of total
}

[[gnu::noinline]] int recurse(volatile char* from) {
    volatile char room[4096];
    room[0] = *from;
    if (room[0] == 0) return 0;     // never
    return recurse(room) + room[0]; // line of recurse
}

__attribute__((noinline, no_sanitize("undefined"))) void call_nowhere() {
    nowhere(); // line of call_nowhere
    asm volatile("");
}

[[gnu::noinline]] void overwrite_stack() {
    volatile char room[16];
    for (int i = 0; i < 256; ++i) *(const_cast<volatile char*>(room) + i) = 'A';
}

[[gnu::noinline]] void spin() {
    const volatile bool forever = true;
    while (forever) {
    }
}

[[gnu::noinline]] void throw_in_thread() {
    throw std::runtime_error("no such user");
}

template <class Function>
void in_thread(Function function) {
    std::thread([function] {
        ::pthread_setname_np(::pthread_self(), "pool");
        function();
    }).join();
}

void overflow() {
    char start = 1;
    recurse(&start);
}

class App {
  public:
    void worker_start() { end_in("worker_start"); }
    void worker_exit() { end_in("worker_exit"); }

    Response operator()(Request& request) {
        const std::string_view path = request.path();
        if (path == "/null") total("Ada");
        if (path == "/abort") std::abort();
        if (path == "/overflow") overflow();
        if (path == "/nowhere") call_nowhere();
        if (path == "/overwrite") overwrite_stack();
        if (path == "/spin") spin();
        if (path == "/thread") in_thread([] { total("Ada"); });
        if (path == "/thread-overflow") in_thread(overflow);
        if (path == "/thread-throw") in_thread(throw_in_thread);
        if (path == "/raise") std::raise(SIGBUS);
        return {200, {{"Content-Type", "text/plain"}}, std::to_string(::getpid()) + "\n"};
    }

  private:
    static void end_in(std::string_view hook) {
        const char* const wanted = std::getenv("CRASHES_IN");
        if (wanted == nullptr) return;
        if (wanted == hook) total("Ada");
        if (wanted == "exit " + std::string(hook)) ::_exit(7);
    }
};

const struct Waiting {
    Waiting() {
        const char* const wanted = std::getenv("CRASHES_IN");
        if (wanted != nullptr && wanted == std::string_view("no hook: wait")) ::pause();
    }
} waiting;

} // namespace shop

CPPCORN_APP_CLASS(app, shop::App)
