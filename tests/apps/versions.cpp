// Says which build of itself and of its two neighbours is running, and where from: it is built twice.
#include <cppcorn/app.hpp>
#include <dlfcn.h>
#include <unistd.h>

extern "C" const char* near_versions();

namespace {

std::string file_of(const void* function) {
    Dl_info info{};
    return ::dladdr(function, &info) != 0 ? info.dli_fname : "";
}

cppcorn::Response app(cppcorn::Request& request) {
    if (request.path() == "/pid") return {200, {}, std::to_string(::getpid())};
    if (request.path() == "/file") return {200, {}, file_of(reinterpret_cast<const void*>(&app))};
    if (request.path() == "/near-file") return {200, {}, file_of(reinterpret_cast<const void*>(&near_versions))};
    return {200, {}, std::string(VERSION " ") + near_versions()};
}

} // namespace

CPPCORN_APP(app)
