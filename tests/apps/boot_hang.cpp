// Hangs in its entry function.
#include <cppcorn/app.hpp>
#include <unistd.h>

namespace {

cppcorn::Response hello(cppcorn::Request&) {
    return {200, {}, "never\n"};
}

auto create() {
    for (;;) ::pause();
    return hello;
}

} // namespace

CPPCORN_APP_AS(app, create)
