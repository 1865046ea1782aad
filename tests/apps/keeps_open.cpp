// Opens a file when it is loaded and needs it in each request: what --preload and a fork must leave open.
#include <cppcorn/app.hpp>
#include <fcntl.h>
#include <unistd.h>

namespace {

const int file = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);

} // namespace

cppcorn::Response app(cppcorn::Request&) {
    char byte = 1;
    const bool is_open = ::read(file, &byte, 1) == 1 && byte == 0;
    return {200, {}, is_open ? "open\n" : "closed\n"};
}
CPPCORN_APP(app)
