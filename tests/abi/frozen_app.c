/* An app as it was built when the binary interface was at 1.0. It has to go on working with every later server of major
 * 1, so it takes its declarations from the frozen header, and neither it nor that header is ever to change. */
#include <string.h>

#include "frozen/abi_1_0.h"

CPPCORN_EXPORT const cppcorn_module_info* cppcorn_module_info_v1(void);
CPPCORN_EXPORT int cppcorn_app_app(cppcorn_load* load);

static int handle(void* self, const cppcorn_request* request) {
    static const char text[] = "frozen at 1.0\n";
    static const cppcorn_field fields[] = {{{"Content-Type", 12}, {"text/plain", 10}},
                                           {{"Content-Length", 14}, {"14", 2}}};
    const cppcorn_host* host = self;
    const int result = host->start(request, 200, fields, 2);
    return result != 0 ? result : host->write(request, text, sizeof text - 1);
}

static int worker_start(void* self, const cppcorn_worker* worker) {
    static const char text[] = "frozen: worker_start";
    const cppcorn_host* host = self;
    if (worker->size < sizeof *worker) return -1;
    host->log(NULL, CPPCORN_LOG_INFO, text, sizeof text - 1);
    return 0;
}

const cppcorn_module_info* cppcorn_module_info_v1(void) {
    static const cppcorn_module_info info = {
        sizeof(cppcorn_module_info), CPPCORN_MAGIC, CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR, 0, "frozen"};
    return &info;
}

int cppcorn_app_app(cppcorn_load* load) {
    cppcorn_app app = {0};
    app.size = load->app.size < sizeof app ? load->app.size : (uint32_t)sizeof app;
    app.self = (void*)load->host;
    app.handle = handle;
    app.worker_start = worker_start;
    memcpy(&load->app, &app, app.size);
    return 0;
}
