/* An app as it was built when the binary interface was at 1.0. It has to go on working with every later server of major
 * 1, so it takes its declarations from the frozen header, and neither it nor that header is ever to change. */
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

static void worker_exit(void* self) {
    static const char text[] = "frozen: worker_exit";
    ((const cppcorn_host*)self)->log(NULL, CPPCORN_LOG_INFO, text, sizeof text - 1);
}

static void destroy(void* self) {
    (void)self;
}

static const void* extension(void* self, const char* id) {
    (void)self;
    (void)id;
    return NULL;
}

const cppcorn_module_info* cppcorn_module_info_v1(void) {
    static const cppcorn_module_info info = {
        sizeof(cppcorn_module_info), CPPCORN_MAGIC, CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR, 0, "frozen"};
    return &info;
}

int cppcorn_app_app(cppcorn_load* load) {
    cppcorn_app* const app = load->app;
    app->self = (void*)load->host;
    app->handle = handle;
    app->worker_start = worker_start;
    app->worker_exit = worker_exit;
    app->destroy = destroy;
    app->extension = extension;
    return 0;
}
