// Cannot start in any worker.
#include <stdexcept>

#include <cppcorn/app.hpp>

using namespace cppcorn;

namespace {

Response hello(Request&) {
    return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
}

void fail() {
    throw std::runtime_error("boot_fail: no database");
}

} // namespace

CPPCORN_APP_AS(app, with_hooks(hello, fail))
