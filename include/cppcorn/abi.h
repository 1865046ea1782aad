/* The binary interface between the cppcorn server and an app.
 *
 * An app is a shared library. The server loads it in each worker process and calls it through the tables below. The
 * library links against nothing of the server's. This header is plain C11 (and C++20) and depends on the C standard
 * library only, so an app can be written in any language that exports C functions. C++ apps want <cppcorn/app.hpp>.
 *
 * Two exported symbols make a library an app module:
 *
 *     const cppcorn_module_info *cppcorn_module_info_v1(void);          one per module
 *     int cppcorn_app_<name>(cppcorn_load *load);                       one per app; `module:name` asks for it
 *
 * Versions. Server and app must agree on the major number. Their minor numbers may differ in both directions.
 * Three small structs never change: cppcorn_str, cppcorn_field, cppcorn_value. Every other struct starts with `size`,
 * its size in bytes as its writer knew it. New fields are only ever appended. A field that is marked "since 1.N" may be
 * missing: check it with CPPCORN_HAS before each use, for reading and for writing. A field without a mark was there in
 * 1.0 and needs no check. Write 0 to a `reserved` field; do not read it.
 *
 * Processes and threads. Each worker is one process. It calls the app from one thread, the worker thread, and handles
 * one request at a time: no two calls into one `cppcorn_app` overlap. Nothing of the app's is shared between workers
 * unless the app shares it itself. With --preload the app is loaded in a process of its own, the mold, and inherited by
 * the workers through fork. Otherwise each worker loads it, and so does a short-lived probe process that only tries whether that works.
 * "Main thread" below means the first thread of any of these processes; in a worker it is the worker thread. A process
 * that the app forks must not call the server.
 *
 * Each function below says in brackets on which thread and in which state it may be called. Any other call is
 * undefined. A host function must not be called from a signal handler.
 *
 * Errors. Functions return 0 (or a count) for success and a negative errno for failure; each lists the ones it returns.
 * Every host function that takes a request and returns an error may also return -ENOMEM, after which the connection is
 * cut. No C++ exception and no longjmp may cross this boundary in either direction.
 *
 * Text is a pointer and a length, not zero-terminated unless stated. The pointer may be null where the length is 0.
 * Times are milliseconds.
 */
#ifndef CPPCORN_ABI_H
#define CPPCORN_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CPPCORN_ABI_MAJOR 1
#define CPPCORN_ABI_MINOR 1
#define CPPCORN_MAGIC 0x6e726f63u /* "corn", little-endian */

/* The symbol names, for code that looks them up. */
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

/* What a module says about itself. Owned by the module: static, and constant for as long as the module is loaded. */
typedef struct cppcorn_module_info {
    uint32_t size;
    uint32_t magic;       /* CPPCORN_MAGIC */
    uint16_t abi_major;   /* CPPCORN_ABI_MAJOR that the module was built with */
    uint16_t abi_minor;   /* CPPCORN_ABI_MINOR that the module was built with */
    uint32_t reserved;    /* 0 */
    const char* compiler; /* zero-terminated, for messages only */
} cppcorn_module_info;

/* One literal argument of `module:name("x", 2, true)`. Valid during the entry call, and so is its text. */
enum { CPPCORN_NULL = 0, CPPCORN_BOOL = 1, CPPCORN_INTEGER = 2, CPPCORN_REAL = 3, CPPCORN_TEXT = 4 };
typedef struct cppcorn_value {
    uint32_t type;    /* one of the five above; a later minor may add more */
    uint32_t flag;    /* CPPCORN_BOOL: 0 or 1 */
    int64_t integer;  /* CPPCORN_INTEGER */
    double real;      /* CPPCORN_REAL */
    cppcorn_str text; /* CPPCORN_TEXT; also zero-terminated, but may hold zeros itself */
} cppcorn_value;

/* One request. The server owns it and all that it points to. Everything stays unchanged until `handle` returns, and is
 * invalid from then on. Until then any thread may read it. */
typedef struct cppcorn_request {
    uint32_t size;
    uint32_t http_minor;         /* 0 or 1: HTTP/1.0 or HTTP/1.1 */
    const void* host_data;       /* the server's own; not for the app */
    cppcorn_str method;          /* as sent: "GET" */
    cppcorn_str target;          /* as sent: "/shop/a%20b?x=1", or the absolute form */
    cppcorn_str script_name;     /* where the app is mounted, percent-decoded: "/shop", or "" for the root */
    cppcorn_str path;            /* the target's path, percent-decoded, without script_name if it lies below that:
                                    "/a b". May hold any byte. "" for the mount point itself, "*" for OPTIONS *. */
    cppcorn_str query;           /* as sent, without the "?": "x=1" */
    cppcorn_str scheme;          /* "http" or "https" */
    cppcorn_str authority;       /* from the absolute form, else the Host field; "" if there is neither */
    const cppcorn_field* fields; /* the header fields in order, names as sent, values trimmed */
    size_t field_count;
    int64_t content_length;     /* bytes of body; 0 if there is no body; -1 if it is chunked and not yet known */
    cppcorn_str remote_address; /* the client, or the proxy in front: "192.0.2.1", "2001:db8::1"; "" on a unix socket */
    cppcorn_str server_name;    /* the listener's own address, or the unix socket's path */
    uint32_t remote_port;       /* 0 on a unix socket */
    uint32_t server_port;       /* 0 on a unix socket */
} cppcorn_request;

enum { CPPCORN_LOG_DEBUG = 0, CPPCORN_LOG_INFO = 1, CPPCORN_LOG_WARNING = 2, CPPCORN_LOG_ERROR = 3 };

/* What the server does for an app. The server owns it. It is constant and valid until the process ends, also in the
 * workers that the process forks. */
typedef struct cppcorn_host {
    uint32_t size;
    uint16_t abi_major; /* of the server */
    uint16_t abi_minor;
    const char* server; /* zero-terminated: "cppcorn/1.2.3" */

    /* Reads the next bytes of the request's body. Returns how many (1 to `room`), or 0 at the end of the body. The body
     * is here as a rule, in memory or in a file. Blocks while it is not: where the app has asked for that
     * (CPPCORN_READS_AS_IT_ARRIVES), or the server has no room for it. If the client then expects "100 Continue"
     * (RFC 9110, 10.1.1), the first call sends it, unless the response has begun. The app need not read the body: the
     * server drops what is left, or closes the connection if that is much.
     * [worker thread, within `handle`]
     * -EINVAL: `room` is 0. -EPROTO: within `before_body`. -ETIMEDOUT: the client is too slow. -ECONNRESET: the client
     * is gone. -EBADMSG: the framing is broken. -EFBIG: the body is over the server's limit. -EIO: the server's file
     * cannot be read. The last five are final: each further call returns the same, and the connection is closed after
     * `handle`. If no response has begun by then, the server sends a 408, 400, 413 or 500 itself. */
    int64_t (*read)(const cppcorn_request* request, void* buffer, size_t room);

    /* Begins the response, once per request, with a status from 200 to 599. The fields are copied. Hop-by-hop fields
     * such as `Connection` and `Transfer-Encoding` are dropped (RFC 9110, 7.6.1). `Date` and `Server` are added where
     * absent. With a Content-Length field, the body must have that many bytes. Without one, the body is chunked, or
     * ends with the connection on HTTP/1.0.
     * [worker thread, within `handle` or `before_body`]
     * -EINVAL: a status, name or value that cannot be sent; nothing has begun. -EALREADY: the response has begun. */
    int (*start)(const cppcorn_request* request, int status, const cppcorn_field* fields, size_t field_count);

    /* Appends to the body. The bytes are copied or sent before it returns. What is not sent by then is sent when
     * `flush` is called or `handle` returns. What a slow client does not take waits in the server's memory, and then in
     * its files; blocks only where these may not grow (--spool-limit). Where the response
     * may have no body (HEAD, 204, 205, 304) the bytes are dropped, which is a success.
     * [worker thread, within `handle` or `before_body`]
     * -EPROTO: the response has not begun. -EPIPE: the client is gone. -ETIMEDOUT: the client does not read. -EMSGSIZE:
     * more than the declared Content-Length; the excess is not sent. After -EPIPE or -ETIMEDOUT, stop: each further
     * call returns the same. */
    int (*write)(const cppcorn_request* request, const void* data, size_t size);

    /* Sends what was written so far, for apps that stream. What the client does not take at once is sent later. Before
     * `start` it does nothing.
     * [worker thread, within `handle` or `before_body`]
     * -EPIPE, -ETIMEDOUT: as `write`. */
    int (*flush)(const cppcorn_request* request);

    /* Appends `size` bytes of a file, from `offset` on. The descriptor stays the app's, which may close it after the
     * call. The bytes may be read later, so the file must not change. If it turns out to be shorter, the connection is
     * cut. Where a file waits for the client already, or the process has no descriptor left to duplicate this one, the
     * bytes may be read before the call returns, and written as by `write`.
     * [worker thread, within `handle` or `before_body`]
     * -EINVAL: a negative offset or size. -EBADF: not a descriptor. -EIO: the file is shorter, or cannot be read; the
     * connection is cut. -EPROTO, -EPIPE, -ETIMEDOUT, -EMSGSIZE: as `write`. */
    int (*send_file)(const cppcorn_request* request, int file, int64_t offset, int64_t size);

    /* Writes one line to the error log. Control bytes are escaped and long lines are cut. `level` is one of the four
     * above. `request` may be null; of one, the line names method and target. Nothing is reported: a line that cannot
     * be written is lost.
     * [worker thread, within `handle` or `before_body`], with the request; [any thread, from the entry call on], with null. */
    void (*log)(const cppcorn_request* request, int level, const char* text, size_t size);

    /* Gives this request at least `ms` milliseconds from now, in place of what is left of --timeout. Never shortens.
     * [worker thread, within `handle` or `before_body`]
     * Returns 0. -EPERM: this is a child that the app has forked. */
    int (*extend_deadline)(const cppcorn_request* request, uint32_t ms);

    /* Gives the request up, with a reason for the error log. The client gets a 500. If the response has begun, the
     * connection is closed before the response is complete. `handle` should return soon after. Of several reasons the
     * first counts.
     * [worker thread, within `handle` or `before_body`]
     * Returns 0. */
    int (*fail)(const cppcorn_request* request, const char* reason, size_t size);

    /* A table of functions by name, for what later servers offer; null if this server has no such table. The table is
     * the server's, constant, and valid until the process ends.
     * [any thread, from the entry call on] */
    const void* (*extension)(const char* id);

    /* Since 1.1, to the end. As `start`, with the reason phrase of the status line: "Fine" for "200 Fine". Of size 0 it
     * is the usual one of the status.
     * [worker thread, within `handle`]
     * -EINVAL: also a reason that cannot be sent. -EALREADY: as `start`. */
    int (*start_with_reason)(const cppcorn_request* request, int status, const char* reason, size_t reason_size,
                             const cppcorn_field* fields, size_t field_count);

    /* Ends the response before `handle` returns, for an app that has more to do than the client has to wait for. What
     * was written is sent as by `flush`. From then on nothing can be written, and a failure of the app's is logged but
     * no longer cuts the connection. Where the end of the connection is the only mark of the body's end (HTTP/1.0
     * without a Content-Length), that comes after `handle` all the same. A second call does nothing.
     * [worker thread, within `handle`]
     * -EPROTO: the response has not begun. -EBADMSG: it is shorter than its Content-Length, and the connection is cut
     * after `handle`. -EPIPE, -ETIMEDOUT: as `write`. */
    int (*finish)(const cppcorn_request* request);

    /* As `log`, for text that people read: what is valid UTF-8 is kept, and so are tabs. Several lines are one record
     * of the log, which is cut at 64 KiB; line ends at its end are dropped. Of a request, the first line names method
     * and target.
     * [as `log`] */
    void (*log_text)(const cppcorn_request* request, int level, const char* text, size_t size);

    /* Whether the client has closed its side of the connection, as far as that can be seen without reading. Most that
     * have are gone; a few have only said that they send nothing more.
     * [worker thread, within `handle`]
     * Returns 1 or 0. */
    int (*client_gone)(const cppcorn_request* request);

    /* Sends a response 103 with these fields at once, before the response itself (RFC 8297): `Link` fields, so that a
     * browser fetches what the page will need. May be called several times. A client of HTTP/1.0 gets nothing, which is
     * a success.
     * [worker thread, within `handle`]
     * -EINVAL: a name or value that cannot be sent. -EALREADY: the response has begun. -EPIPE, -ETIMEDOUT: as `write`. */
    int (*early_hints)(const cppcorn_request* request, const cppcorn_field* fields, size_t field_count);
} cppcorn_host;

/* extension("cppcorn.bridge/1"), since 1.1: how this app was asked for and what surrounds it, for apps that load apps of
 * another language. There once an app is loaded, null before. All pointers are valid until the process ends. */
#define CPPCORN_BRIDGE_EXTENSION "cppcorn.bridge/1"
typedef struct cppcorn_bridge {
    uint32_t size;
    uint32_t workers;            /* --workers */
    const char* module;          /* of the app spec, before the colon; all of these are zero-terminated */
    const char* call;            /* behind the colon, as it was given: "create_app(debug=True)"; "" if there is none */
    const char* const* app_dirs; /* where modules are looked for first: --pythonpath, then --app-dir */
    size_t app_dir_count;
    const char* hooks;   /* --hooks; "" if there are none */
    uint32_t timeout_ms; /* --timeout; 0 for none */
    uint32_t reserved;   /* 0 */

    /* The descriptor of the error log, for crash handlers; another one after the logs were opened anew. Never close it.
     * [any thread] */
    int (*error_log)(void);

    /* With --reload, a change of these files makes the service reload. Each call replaces the paths of the call before.
     * [main thread, before or in `worker_start`]
     * Returns 0. -ENOMEM: there is no memory for that. */
    int (*watch)(const char* const* paths, size_t count);
} cppcorn_bridge;

/* Given to `worker_start`. The server owns it. Valid during that call. */
typedef struct cppcorn_worker {
    uint32_t size;
    uint32_t slot;    /* which of the workers this is: the lowest number that no living worker of this master has */
    const char* name; /* zero-terminated: --name, or the app spec */
} cppcorn_worker;

/* For `flags` of cppcorn_app. Since 1.1; earlier servers read a large body as it arrives in any case.
 * READS_AS_IT_ARRIVES: a body that is larger than --body-buffer is not gathered. `handle` is called with its first part,
 * and `read` waits for the rest, during which the worker serves nobody else. For apps that pass on what they read, or
 * answer before all of it is here. */
enum { CPPCORN_READS_AS_IT_ARRIVES = 1 };

/* The app, as its entry function fills it in. `self` is passed back in each call. A function that is not needed stays
 * null, but `handle` must be there. The server calls no function after `destroy`. */
typedef struct cppcorn_app {
    uint32_t size;
    uint32_t flags; /* 0, or the one above. A server ignores the flags that it does not know. */
    void* self;     /* the app's own; may be null */

    /* Answers one request. Non-zero is a failure, as if by `fail`. So is a return without `start`. After -EPIPE or
     * -ETIMEDOUT from `write` the connection is cut whatever is returned, so 0 is fine.
     * [worker thread, after `worker_start`] */
    int (*handle)(void* self, const cppcorn_request* request);

    /* The place for threads, connections to databases and random seeds. What is made earlier may be shared by all
     * workers (--preload). Non-zero: this worker cannot start; say why with `log`. `worker_exit` is not called then.
     * The server's own handlers of SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT are installed by then. An app may put
     * handlers of its own before them, if they go on to those that were there.
     * [worker thread, after the fork, before the first request] */
    int (*worker_start)(void* self, const cppcorn_worker* worker);

    /* The worker ends in good order. Not called when it crashes or is killed.
     * [worker thread, after the last request] */
    void (*worker_exit)(void* self);

    /* Frees `self`. The library is unloaded afterwards, so no thread of the app's may run on. Called in the process
     * that loaded the app: with --preload in the mold, not in the workers. Not called in a probe or after a crash.
     * [main thread, last call] */
    void (*destroy)(void* self);

    /* A table of functions by name, for what later servers may ask of an app; null for a name that the app does not
     * know. No name is defined yet, so this server never calls it: leave it null. The table is the app's, constant, and
     * valid until `destroy`. The same id gives the same table each time. Must not block.
     * [main thread, between the entry call and `destroy`; may come before the fork] */
    const void* (*extension)(void* self, const char* id);

    /* Since 1.1. Asked before the body of a request is read, where that is more than --body-buffer, or chunked, or the
     * client expects "100 Continue". To refuse it by the head alone, answer by `start` and `write`, as in `handle`, and
     * return 0: the body is not taken, and `handle` is not called. Without a `start`, the body is read, and `handle` is
     * called with the same request, then at other addresses. Non-zero is a failure, as from `handle`. `read` is not
     * possible.
     * [worker thread, after `worker_start`] */
    int (*before_body)(void* self, const cppcorn_request* request);
} cppcorn_app;

/* The parameter block of the entry function. The server owns it and all that it points to. It is valid during the entry
 * call only: copy what is needed later. `host` is the exception: it is valid until the process ends.
 *
 * The entry function sets fields of `*app`, or puts a text into `error`. All of `*app` but its `size` is zero at first.
 * Set the fields one by one: the server's struct may be smaller than yours, so that an assignment of the whole would
 * write beyond it. `app->size` is the server's; leave it alone, or lower it to hide the fields beyond from the server.
 * The server copies `*app` when the call has returned 0. */
typedef struct cppcorn_load {
    uint32_t size;
    uint32_t arg_count;
    const cppcorn_value* args;
    const cppcorn_host* host;
    cppcorn_app* app;
    char* error;       /* zero-terminated; "" at first. What is wrong with the arguments, say. Read only on failure. */
    size_t error_room; /* bytes at `error`, the terminator included; at least 256 */
} cppcorn_load;

/* [main thread, before the entry call] Never null. */
typedef const cppcorn_module_info* (*cppcorn_module_info_fn)(void);

/* Makes the app. Returns 0, or non-zero for failure: a negative errno, which is shown if `error` stays empty. After a
 * failure `destroy` is not called and the library is unloaded. May be called more than once in a process; `destroy` is
 * then called once for each success.
 * [main thread, after the library is loaded; before the fork with --preload] */
typedef int (*cppcorn_entry_fn)(cppcorn_load* load);

#ifdef __cplusplus
}
#endif
#endif
