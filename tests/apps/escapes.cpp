// Lets an exception out of each of the functions that must not: what an app in C, or in another language, can do. The
// module's apps are called after the function.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <cppcorn/abi.h>

namespace {

const cppcorn_host* host = nullptr;

struct Local {
    std::string text = "destroyed if the stack is unwound to here";
    ~Local() { host = nullptr; }
};

[[gnu::noinline]] void throw_out_of(const char* function) {
    const Local local;
    throw std::runtime_error(std::string("escaped from ") + function);
}

struct Constructed {
    Constructed() {
        if (std::getenv("ESCAPES_FROM_CONSTRUCTOR") != nullptr) throw_out_of("constructor");
    }
} constructed;

int answer(void*, const cppcorn_request* request) {
    return host->start(request, 204, nullptr, 0);
}

int handle(void*, const cppcorn_request*) {
    throw_out_of("handle");
    return 0;
}

int handle_number(void*, const cppcorn_request*) {
    throw 7;
}

int worker_start(void*, const cppcorn_worker*) {
    throw_out_of("worker_start");
    return 0;
}

void worker_exit(void*) {
    throw_out_of("worker_exit");
}

void destroy(void*) {
    throw_out_of("destroy");
}

int load(cppcorn_load* to) {
    host = to->host;
    to->app->handle = answer;
    return 0;
}

} // namespace

extern "C" {

CPPCORN_EXPORT const cppcorn_module_info* cppcorn_module_info_v1(void) {
    static const cppcorn_module_info info = {
        sizeof(cppcorn_module_info), CPPCORN_MAGIC, CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR, 0, "C++"};
    return &info;
}

CPPCORN_EXPORT int cppcorn_app_app(cppcorn_load* to) {
    return load(to);
}

CPPCORN_EXPORT int cppcorn_app_entry(cppcorn_load*) {
    throw_out_of("entry");
    return 0;
}

CPPCORN_EXPORT int cppcorn_app_handle(cppcorn_load* to) {
    to->app->handle = handle;
    return 0;
}

CPPCORN_EXPORT int cppcorn_app_handle_number(cppcorn_load* to) {
    to->app->handle = handle_number;
    return 0;
}

CPPCORN_EXPORT int cppcorn_app_worker_start(cppcorn_load* to) {
    to->app->worker_start = worker_start;
    return load(to);
}

CPPCORN_EXPORT int cppcorn_app_worker_exit(cppcorn_load* to) {
    to->app->worker_exit = worker_exit;
    return load(to);
}

CPPCORN_EXPORT int cppcorn_app_destroy(cppcorn_load* to) {
    to->app->destroy = destroy;
    return load(to);
}
}
