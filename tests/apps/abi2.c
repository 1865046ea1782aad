/* A module of a later time, for a binary interface that this server does not speak. */
#include <cppcorn/abi.h>
#include <stddef.h>

CPPCORN_EXPORT const cppcorn_module_info* cppcorn_module_info_v1(void);
CPPCORN_EXPORT int cppcorn_app_app(cppcorn_load* load);

const cppcorn_module_info* cppcorn_module_info_v1(void) {
    static const cppcorn_module_info info = {sizeof(cppcorn_module_info), CPPCORN_MAGIC, 2, 0, 0, "abi2.c"};
    return &info;
}

/* Not to be called: the crash would show it. */
int cppcorn_app_app(cppcorn_load* load) {
    (void)load;
    __builtin_trap();
}
