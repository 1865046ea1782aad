/* Where each field of the binary interface lies on x86-64. What is here was released: a line may be added, none
 * changed. Compiled as C11 and as C++20, for the current header and for the frozen one. */
#include <assert.h>
#ifdef __cplusplus
#include <type_traits>
#endif

#include CPPCORN_ABI_HEADER

#if defined(__x86_64__) && defined(__LP64__)

#define CHECK_OFFSET(type, field, offset) \
    static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define CHECK_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), "the size of " #type " has changed")

/* As of 1.0 */
CHECK_OFFSET(cppcorn_str, data, 0);
CHECK_OFFSET(cppcorn_str, size, 8);

CHECK_OFFSET(cppcorn_field, name, 0);
CHECK_OFFSET(cppcorn_field, value, 16);

CHECK_OFFSET(cppcorn_module_info, size, 0);
CHECK_OFFSET(cppcorn_module_info, magic, 4);
CHECK_OFFSET(cppcorn_module_info, abi_major, 8);
CHECK_OFFSET(cppcorn_module_info, abi_minor, 10);
CHECK_OFFSET(cppcorn_module_info, reserved, 12);
CHECK_OFFSET(cppcorn_module_info, compiler, 16);

CHECK_OFFSET(cppcorn_value, type, 0);
CHECK_OFFSET(cppcorn_value, flag, 4);
CHECK_OFFSET(cppcorn_value, integer, 8);
CHECK_OFFSET(cppcorn_value, real, 16);
CHECK_OFFSET(cppcorn_value, text, 24);

CHECK_OFFSET(cppcorn_request, size, 0);
CHECK_OFFSET(cppcorn_request, http_minor, 4);
CHECK_OFFSET(cppcorn_request, host_data, 8);
CHECK_OFFSET(cppcorn_request, method, 16);
CHECK_OFFSET(cppcorn_request, target, 32);
CHECK_OFFSET(cppcorn_request, script_name, 48);
CHECK_OFFSET(cppcorn_request, path, 64);
CHECK_OFFSET(cppcorn_request, query, 80);
CHECK_OFFSET(cppcorn_request, scheme, 96);
CHECK_OFFSET(cppcorn_request, authority, 112);
CHECK_OFFSET(cppcorn_request, fields, 128);
CHECK_OFFSET(cppcorn_request, field_count, 136);
CHECK_OFFSET(cppcorn_request, content_length, 144);
CHECK_OFFSET(cppcorn_request, remote_address, 152);
CHECK_OFFSET(cppcorn_request, server_name, 168);
CHECK_OFFSET(cppcorn_request, remote_port, 184);
CHECK_OFFSET(cppcorn_request, server_port, 188);

CHECK_OFFSET(cppcorn_host, size, 0);
CHECK_OFFSET(cppcorn_host, abi_major, 4);
CHECK_OFFSET(cppcorn_host, abi_minor, 6);
CHECK_OFFSET(cppcorn_host, server, 8);
CHECK_OFFSET(cppcorn_host, read, 16);
CHECK_OFFSET(cppcorn_host, start, 24);
CHECK_OFFSET(cppcorn_host, write, 32);
CHECK_OFFSET(cppcorn_host, flush, 40);
CHECK_OFFSET(cppcorn_host, send_file, 48);
CHECK_OFFSET(cppcorn_host, log, 56);
CHECK_OFFSET(cppcorn_host, extend_deadline, 64);
CHECK_OFFSET(cppcorn_host, fail, 72);
CHECK_OFFSET(cppcorn_host, extension, 80);

CHECK_OFFSET(cppcorn_worker, size, 0);
CHECK_OFFSET(cppcorn_worker, slot, 4);
CHECK_OFFSET(cppcorn_worker, name, 8);

CHECK_OFFSET(cppcorn_app, size, 0);
CHECK_OFFSET(cppcorn_app, flags, 4);
CHECK_OFFSET(cppcorn_app, self, 8);
CHECK_OFFSET(cppcorn_app, handle, 16);
CHECK_OFFSET(cppcorn_app, worker_start, 24);
CHECK_OFFSET(cppcorn_app, worker_exit, 32);
CHECK_OFFSET(cppcorn_app, destroy, 40);
CHECK_OFFSET(cppcorn_app, extension, 48);

CHECK_OFFSET(cppcorn_load, size, 0);
CHECK_OFFSET(cppcorn_load, arg_count, 4);
CHECK_OFFSET(cppcorn_load, args, 8);
CHECK_OFFSET(cppcorn_load, host, 16);
CHECK_OFFSET(cppcorn_load, app, 24);
CHECK_OFFSET(cppcorn_load, error, 32);
CHECK_OFFSET(cppcorn_load, error_room, 40);

static_assert(CPPCORN_ABI_MAJOR == 1, "a new major needs a layout of its own");
static_assert(CPPCORN_MAGIC == 0x6e726f63u, "the magic number has changed");

#ifdef __cplusplus
#define CHECK_PLAIN(type) \
    static_assert(std::is_standard_layout<type>::value && std::is_trivial<type>::value, #type " is not plain")
CHECK_PLAIN(cppcorn_str);
CHECK_PLAIN(cppcorn_field);
CHECK_PLAIN(cppcorn_module_info);
CHECK_PLAIN(cppcorn_value);
CHECK_PLAIN(cppcorn_request);
CHECK_PLAIN(cppcorn_host);
CHECK_PLAIN(cppcorn_worker);
CHECK_PLAIN(cppcorn_app);
CHECK_PLAIN(cppcorn_load);
#endif

#if CPPCORN_ABI_MINOR >= 1
/* As of 1.1 */
CHECK_OFFSET(cppcorn_app, before_body, 56);
static_assert(CPPCORN_READS_AS_IT_ARRIVES == 1, "a flag has changed");

CHECK_OFFSET(cppcorn_host, start_with_reason, 88);
CHECK_OFFSET(cppcorn_host, finish, 96);
CHECK_OFFSET(cppcorn_host, log_text, 104);
CHECK_OFFSET(cppcorn_host, client_gone, 112);
CHECK_OFFSET(cppcorn_host, early_hints, 120);

CHECK_OFFSET(cppcorn_bridge, size, 0);
CHECK_OFFSET(cppcorn_bridge, workers, 4);
CHECK_OFFSET(cppcorn_bridge, module, 8);
CHECK_OFFSET(cppcorn_bridge, call, 16);
CHECK_OFFSET(cppcorn_bridge, app_dirs, 24);
CHECK_OFFSET(cppcorn_bridge, app_dir_count, 32);
CHECK_OFFSET(cppcorn_bridge, hooks, 40);
CHECK_OFFSET(cppcorn_bridge, timeout_ms, 48);
CHECK_OFFSET(cppcorn_bridge, reserved, 52);
CHECK_OFFSET(cppcorn_bridge, error_log, 56);
CHECK_OFFSET(cppcorn_bridge, watch, 64);
#endif

/* Sizes grow with the minor: append a block for each. */
#if CPPCORN_ABI_MINOR == 0
CHECK_SIZE(cppcorn_str, 16);
CHECK_SIZE(cppcorn_field, 32);
CHECK_SIZE(cppcorn_module_info, 24);
CHECK_SIZE(cppcorn_value, 40);
CHECK_SIZE(cppcorn_request, 192);
CHECK_SIZE(cppcorn_host, 88);
CHECK_SIZE(cppcorn_worker, 16);
CHECK_SIZE(cppcorn_app, 56);
CHECK_SIZE(cppcorn_load, 48);
#elif CPPCORN_ABI_MINOR == 1
CHECK_SIZE(cppcorn_str, 16);
CHECK_SIZE(cppcorn_field, 32);
CHECK_SIZE(cppcorn_module_info, 24);
CHECK_SIZE(cppcorn_value, 40);
CHECK_SIZE(cppcorn_request, 192);
CHECK_SIZE(cppcorn_host, 128);
CHECK_SIZE(cppcorn_worker, 16);
CHECK_SIZE(cppcorn_app, 64);
CHECK_SIZE(cppcorn_load, 48);
CHECK_SIZE(cppcorn_bridge, 72);
#else
#error "append the sizes of this minor, and the offsets of the fields that it added"
#endif

#endif

int main(void) {
    return 0;
}
