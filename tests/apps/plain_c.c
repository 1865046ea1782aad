/* An app in C: answers with the request's body, or with a greeting where there is none. */
#include <cppcorn/abi.h>
#include <stdint.h>

#define STR(literal) \
    { literal, sizeof(literal) - 1 }

CPPCORN_EXPORT const cppcorn_module_info* cppcorn_module_info_v1(void);
CPPCORN_EXPORT int cppcorn_app_app(cppcorn_load* load);

static const char greeting[] = "hello from C\n";

static int echo(const cppcorn_host* host, const cppcorn_request* request, int64_t first, char* piece, size_t room) {
    static const cppcorn_field fields[] = {{STR("Content-Type"), STR("application/octet-stream")}};
    int result = host->start(request, 200, fields, 1);
    int64_t count = first;
    while (result == 0 && count > 0) {
        result = host->write(request, piece, (size_t)count);
        if (result == 0) count = host->read(request, piece, room);
    }
    return result != 0 ? result : (int)count;
}

static int handle(void* self, const cppcorn_request* request) {
    static const cppcorn_field fields[] = {{STR("Content-Type"), STR("text/plain")},
                                           {STR("Content-Length"), STR("13")}};
    const cppcorn_host* host = self;
    char piece[16384];
    const int64_t first = host->read(request, piece, sizeof piece);
    if (first < 0) return (int)first;
    if (first > 0) return echo(host, request, first, piece, sizeof piece);
    const int result = host->start(request, 200, fields, 2);
    return result != 0 ? result : host->write(request, greeting, sizeof greeting - 1);
}

const cppcorn_module_info* cppcorn_module_info_v1(void) {
    static const cppcorn_module_info info = {
        sizeof(cppcorn_module_info), CPPCORN_MAGIC, CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR, 0, "C"};
    return &info;
}

int cppcorn_app_app(cppcorn_load* load) {
    load->app->self = (void*)load->host; /* all that this app knows; nothing to free */
    load->app->handle = handle;
    return 0;
}
