// Crashes while it is loaded: before any function of the module has been called.
#include <cppcorn/app.hpp>

namespace {

struct Crash {
    __attribute__((no_sanitize("undefined"))) Crash() {
        volatile int* volatile nowhere = nullptr;
        *nowhere = 1;
    }
} crash;

} // namespace

cppcorn::Response app(cppcorn::Request&) {
    return {200, {}, "never\n"};
}
CPPCORN_APP(app)
