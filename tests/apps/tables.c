/* Apps that fill in their table in unusual ways. */
#include <cppcorn/abi.h>
#include <stddef.h>
#include <string.h>

CPPCORN_EXPORT const cppcorn_module_info* cppcorn_module_info_v1(void);
CPPCORN_EXPORT int cppcorn_app_plain(cppcorn_load* load);
CPPCORN_EXPORT int cppcorn_app_extended(cppcorn_load* load);
CPPCORN_EXPORT int cppcorn_app_older(cppcorn_load* load);
CPPCORN_EXPORT int cppcorn_app_no_handle(cppcorn_load* load);
CPPCORN_EXPORT int cppcorn_app_own_table(cppcorn_load* load);
CPPCORN_EXPORT int cppcorn_app_too_short(cppcorn_load* load);
CPPCORN_EXPORT int cppcorn_app_too_long(cppcorn_load* load);

static int table; /* what extension() finds */

static int handle(void* self, const cppcorn_request* request) {
    (void)self;
    (void)request;
    return -1;
}

static void destroy(void* self) {
    (void)self;
}

static const void* extension(void* self, const char* id) {
    return strcmp(id, "test/1") == 0 ? self : NULL;
}

const cppcorn_module_info* cppcorn_module_info_v1(void) {
    static const cppcorn_module_info info = {
        sizeof(cppcorn_module_info), CPPCORN_MAGIC, CPPCORN_ABI_MAJOR, CPPCORN_ABI_MINOR, 0, "C"};
    return &info;
}

int cppcorn_app_plain(cppcorn_load* load) {
    load->app->self = &table;
    load->app->handle = handle;
    load->app->destroy = destroy;
    return 0;
}

int cppcorn_app_extended(cppcorn_load* load) {
    load->app->extension = extension;
    return cppcorn_app_plain(load);
}

/* As if built before there was `extension`: what lies beyond its size is nothing that it meant to say. */
int cppcorn_app_older(cppcorn_load* load) {
    load->app->size = offsetof(cppcorn_app, extension);
    return cppcorn_app_extended(load);
}

int cppcorn_app_no_handle(cppcorn_load* load) {
    load->app->self = &table;
    return 0;
}

/* The server's table is the one that counts. */
int cppcorn_app_own_table(cppcorn_load* load) {
    static cppcorn_app own;
    own.size = sizeof own;
    own.handle = handle;
    load->app = &own;
    return 0;
}

int cppcorn_app_too_short(cppcorn_load* load) {
    const int result = cppcorn_app_plain(load);
    load->app->size = offsetof(cppcorn_app, handle) + sizeof load->app->handle - 1;
    return result;
}

int cppcorn_app_too_long(cppcorn_load* load) {
    const int result = cppcorn_app_plain(load);
    load->app->size = sizeof *load->app + 1;
    return result;
}
