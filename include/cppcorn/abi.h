/* The binary interface between the cppcorn server and an app.
 *
 * An app is a shared library. The server loads it in each worker process and calls it through the tables below; the
 * library links against nothing of the server's. This header is plain C11 (and C++20) and depends on the C standard
 * library only, so an app can be written in any language that exports C functions. C++ apps want <cppcorn/app.hpp>.
 *
 * Two exported symbols make a library an app module:
 *
 *     const cppcorn_module_info *cppcorn_module_info_v1(void);          once a module
 *     int cppcorn_app_<name>(cppcorn_load *load);                       once an app; `module:name` asks for it
 *
 * Versions. Every struct but the three small ones (cppcorn_str, cppcorn_field, cppcorn_value, which never change)
 * starts with `size`, its size in bytes as its writer knew it. Fields are only ever appended. A reader checks that a
 * field lies within `size` before it uses it (CPPCORN_HAS). Majors must be equal; minors may differ in both directions:
 * the older side does not see the newer side's last fields.
 *
 * Processes and threads. Each worker is one process that calls the app from one thread, one request at a time. No two
 * calls into one `cppcorn_app` overlap. Host functions that take a request may be called only from within the
 * `handle` call that was given that request, on the same thread. `log` with a null request may be called from any
 * thread. Nothing of the app's is shared between workers unless the app shares it itself.
 *
 * Errors. Functions return 0 (or a count) for success and a negative errno for failure. No C++ exception and no
 * longjmp may cross this boundary in either direction.
 *
 * Text is a pointer and a length, not zero-terminated unless said otherwise. Times are milliseconds.
 */
#ifndef CPPCORN_ABI_H
#define CPPCORN_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CPPCORN_ABI_MAJOR 1
#define CPPCORN_ABI_MINOR 0
#define CPPCORN_MAGIC 0x6e726f63u /* "corn", little-endian */

/* Symbol names, for those who look them up. */
#define CPPCORN_MODULE_INFO_SYMBOL "cppcorn_module_info_v1"
#define CPPCORN_APP_SYMBOL_PREFIX "cppcorn_app_"

#define CPPCORN_EXPORT __attribute__((visibility("default")))

/* True if the struct that `ptr` points to is new enough to have `field`. */
#define CPPCORN_HAS(ptr, type, field) ((ptr)->size >= offsetof(type, field) + sizeof((ptr)->field))

typedef struct cppcorn_str {
    const char* data;
    size_t size;
} cppcorn_str;

typedef struct cppcorn_field {
    cppcorn_str name;
    cppcorn_str value;
} cppcorn_field;

/* What a module says of itself. Static storage in the module, constant for as long as it is loaded. */
typedef struct cppcorn_module_info {
    uint32_t size;
    uint32_t magic;       /* CPPCORN_MAGIC */
    uint16_t abi_major;   /* CPPCORN_ABI_MAJOR that the module was built with */
    uint16_t abi_minor;   /* CPPCORN_ABI_MINOR that the module was built with */
    uint32_t reserved;    /* 0 */
    const char* compiler; /* zero-terminated, for messages only */
} cppcorn_module_info;

/* One literal argument of `module:name("x", 2, true)`. `text` is also zero-terminated. Valid during the entry call. */
enum { CPPCORN_NULL = 0, CPPCORN_BOOL = 1, CPPCORN_INTEGER = 2, CPPCORN_REAL = 3, CPPCORN_TEXT = 4 };
typedef struct cppcorn_value {
    uint32_t type;    /* one of the five above */
    uint32_t flag;    /* CPPCORN_BOOL: 0 or 1 */
    int64_t integer;  /* CPPCORN_INTEGER */
    double real;      /* CPPCORN_REAL */
    cppcorn_str text; /* CPPCORN_TEXT */
} cppcorn_value;

/* One request. The server owns it and all that it points to; everything is valid until `handle` returns. */
typedef struct cppcorn_request {
    uint32_t size;
    uint32_t http_minor;         /* 0 or 1: HTTP/1.0 or HTTP/1.1 */
    cppcorn_str method;          /* as sent: "GET" */
    cppcorn_str target;          /* as sent: "/a%20b?x=1", or the absolute form */
    cppcorn_str path;            /* the target's path below script_name, percent-decoded; "/" at least, "" for the mount
                                    point itself, "*" for OPTIONS *. May hold any byte. */
    cppcorn_str query;           /* without the "?", not decoded */
    cppcorn_str scheme;          /* "http" or "https" */
    cppcorn_str authority;       /* from the absolute form, else the Host field; "" if there is none */
    const cppcorn_field* fields; /* the header fields in order, names as sent, values trimmed */
    size_t field_count;
    int64_t content_length;     /* bytes of body; 0 if there is no body; -1 if it is chunked and not yet known */
    cppcorn_str remote_address; /* "192.0.2.1", "2001:db8::1", "" on a unix socket */
    uint32_t remote_port;       /* 0 on a unix socket */
    uint32_t server_port;       /* 0 on a unix socket */
    cppcorn_str server_name;    /* the listener's own address, or the unix socket's path */
    const void* host_data;      /* the server's; not for the app */
    cppcorn_str script_name;    /* where the app is mounted: "/shop", or "" for the root. Not a part of `path` */
} cppcorn_request;

enum { CPPCORN_LOG_DEBUG = 0, CPPCORN_LOG_INFO = 1, CPPCORN_LOG_WARNING = 2, CPPCORN_LOG_ERROR = 3 };

/* What the server does for an app. The server owns it; it is valid until the process ends. */
typedef struct cppcorn_host {
    uint32_t size;
    uint16_t abi_major; /* of the server */
    uint16_t abi_minor;
    const char* server; /* zero-terminated: "cppcorn/1.2.3" */

    /* Reads the next bytes of the request's body. Returns how many (1 to `room`), 0 at the body's end, or a negative
     * errno: -ETIMEDOUT the client was too slow, -ECONNRESET it left, -EBADMSG its framing is broken, -EFBIG the body
     * is over the limit. After a failure the connection is closed once `handle` returns. Blocks where the body has not
     * arrived; sends "100 Continue" on the first call if the client waits for it (RFC 9110, 10.1.1)
     * and no response has begun. What the app leaves unread is dropped, or the connection closed where that is much. */
    int64_t (*read)(const cppcorn_request* request, void* buffer, size_t room);

    /* Begins the response: status 200 to 599. Once a request. The fields are copied. `Connection`, `Keep-Alive`,
     * `Transfer-Encoding` and other hop-by-hop fields are dropped; `Date` and `Server` are added where absent (RFC
     * 9110, 7.6.1). With a Content-Length field the body must have that many bytes; without one it is chunked, or ends
     * with the connection on HTTP/1.0. -EINVAL: a status, name or value that cannot be sent. -EALREADY: already begun.
     */
    int (*start)(const cppcorn_request* request, int status, const cppcorn_field* fields, size_t field_count);

    /* Appends to the body; the bytes are copied or sent before it returns. They are sent at the latest when `handle`
     * returns, and at once where `flush` is called. Blocks only while much is waiting for a slow client. -EPROTO: not
     * begun. -EPIPE: the client is gone, stop. -ETIMEDOUT: it does not read. -EMSGSIZE: more than the declared
     * Content-Length (the excess is not sent). Bytes written where the response may have no body (HEAD, 204, 304) are
     * dropped with success. */
    int (*write)(const cppcorn_request* request, const void* data, size_t size);

    /* Sends what was written so far, for apps that stream. Errors as `write`. */
    int (*flush)(const cppcorn_request* request);

    /* Appends `size` bytes of a file from `offset` on. The descriptor stays the app's and may be closed after the call.
     * Errors as `write`, and -EBADF, -EINVAL. A file that turns out shorter cuts the connection. */
    int (*send_file)(const cppcorn_request* request, int file, int64_t offset, int64_t size);

    /* Writes one line to the error log. Control bytes are escaped, long lines cut. `request` may be null. */
    void (*log)(const cppcorn_request* request, int level, const char* text, size_t size);

    /* Gives this request at least `ms` milliseconds from now, whatever is left of --timeout. */
    int (*extend_deadline)(const cppcorn_request* request, uint32_t ms);

    /* Gives the request up, with a reason for the error log: the client gets a 500, or where the response has begun, a
     * connection that closes before the response's end. `handle` should return soon after. */
    int (*fail)(const cppcorn_request* request, const char* reason, size_t size);

    /* A table of functions by name, for what later servers offer; null if this one has no such. */
    const void* (*extension)(const char* id);
} cppcorn_host;

/* Given to `worker_start`. Valid during that call. */
typedef struct cppcorn_worker {
    uint32_t size;
    uint32_t slot; /* 0 up: which of the workers this is; a replacement takes over its predecessor's number when that is
                      free */
    const char* name; /* zero-terminated: --name, or the app spec */
} cppcorn_worker;

/* The app, filled in by its entry function. `self` is passed back in each call. Functions that are not needed stay
 * null, but `handle` must be there. */
typedef struct cppcorn_app {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void* self;

    /* Answers one request. Non-zero is a failure as by `fail`. A return without `start` is one too. After -EPIPE or
     * -ETIMEDOUT from `write` the connection is cut whatever is returned, so 0 is fine. */
    int (*handle)(void* self, const cppcorn_request* request);

    /* After the fork, before the worker's first request. Non-zero: this worker cannot start; say why with `log`.
     * The place for threads, connections to databases and random seeds: what is made earlier may be shared by
     * all workers (--preload). */
    int (*worker_start)(void* self, const cppcorn_worker* worker);

    /* Before the worker ends in good order. Not called when it crashes or is killed. */
    void (*worker_exit)(void* self);

    /* Frees `self`; the last call. */
    void (*destroy)(void* self);
} cppcorn_app;

/* The entry function's parameter block. `size`, `host` and the arguments are the server's; `app` and `error` are the
 * module's to fill. The server sets `app.size` to its own; the module lowers it to its own if that is smaller. */
typedef struct cppcorn_load {
    uint32_t size;
    uint32_t arg_count;
    const cppcorn_host* host;
    const cppcorn_value* args;
    char* error;       /* zero-terminated text if the entry function fails: what is wrong with the arguments, say */
    size_t error_room; /* bytes at `error`, the terminator included */
    cppcorn_app app;   /* last, and never to grow in this struct's middle: new fields go to the end of cppcorn_app */
} cppcorn_load;

typedef const cppcorn_module_info* (*cppcorn_module_info_fn)(void);
typedef int (*cppcorn_entry_fn)(cppcorn_load* load);

#ifdef __cplusplus
}
#endif
#endif
