#include <cppcorn/app.hpp>

cppcorn::Response app(cppcorn::Request&) {
    return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
}
CPPCORN_APP(app)
