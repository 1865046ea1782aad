#include "server/settings/rows/limits.hpp"

namespace cppcorn {
namespace {

constexpr std::uint64_t most_fields = 32'768;
constexpr std::uint64_t largest_head = 16 << 20;
constexpr std::uint64_t largest_body_buffer = 64 << 20;
constexpr std::uint64_t fastest_rate = 1 << 30;
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 50;

} // namespace

std::vector<Setting> limit_rows() {
    return {
        {.names = {"limit-request-line"},
         .value_name = "BYTES",
         .help = "The longest request line; 0: as long as --limit-request-head.",
         .value = byte_count(&http::Limits::request_line, 0, largest_head)},
        {.names = {"limit-request-fields"},
         .value_name = "COUNT",
         .help = "How many header fields a request may have; 0: 32768.",
         .value = whole_number(&http::Limits::fields, 0, most_fields)},
        {.names = {"limit-request-field_size"},
         .value_name = "BYTES",
         .help = "The longest header field, name and value; 0: as long as --limit-request-head.",
         .value = byte_count(&http::Limits::field_size, 0, largest_head)},
        {.names = {"limit-request-head"},
         .value_name = "BYTES",
         .help = "The longest request line and header fields together.",
         .value = byte_count(&http::Limits::head, 1024, largest_head)},
        {.names = {"limit-request-body"},
         .value_name = "BYTES",
         .help = "The longest request body; 0: no limit.",
         .value = byte_count(&http::Limits::body, 0, most_bytes)},
        {.names = {"body-buffer"},
         .value_name = "BYTES",
         .help =
             "Keep request bodies up to this size in memory; larger ones go into a file, or to an app that reads them "
             "as they arrive.",
         .value = byte_count(&WorkerSettings::body_buffer, 0, largest_body_buffer)},
        {.names = {"spool-dir"},
         .value_name = "PATH",
         .help =
             "Where large request bodies, and responses that clients read slowly, wait in unnamed files; without it, "
             "in $TMPDIR or /tmp.",
         .value = text(&WorkerSettings::spool_dir)},
        {.names = {"spool-limit"},
         .value_name = "BYTES",
         .help = "How much each worker may have in such files; 0: none, so that slow clients hold the worker.",
         .value = byte_count(&WorkerSettings::spool_limit, 0, most_bytes)},
        {.names = {"min-rate"},
         .value_name = "BYTES",
         .help = "How many bytes a second a client has to send of a body, or to take of a response, over the time of "
                 "--body-timeout or --write-timeout; 0: any.",
         .value = byte_count(&WorkerSettings::min_rate, 0, fastest_rate)},
        {.names = {"header-timeout"},
         .value_name = "SECONDS",
         .help = "How long a client may take to send a request's head; 0: for ever.",
         .value = seconds(&WorkerSettings::header_timeout)},
        {.names = {"body-timeout"},
         .value_name = "SECONDS",
         .help = "How long a client may pause while it sends a request's body; 0: for ever.",
         .value = seconds(&WorkerSettings::body_timeout)},
        {.names = {"write-timeout"},
         .value_name = "SECONDS",
         .help = "How long a client may pause while it reads a response; 0: for ever.",
         .value = seconds(&WorkerSettings::write_timeout)},
    };
}

} // namespace cppcorn
