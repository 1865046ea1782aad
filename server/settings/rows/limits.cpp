#include "server/settings/rows/limits.hpp"

namespace cppcorn {
namespace {

constexpr std::uint64_t most_fields = 32'768;
constexpr std::uint64_t largest_head = 16 << 20;
constexpr std::uint64_t largest_body_buffer = 64 << 20;
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
         .help = "Read bodies up to this size before the app is called; of larger ones, this much.",
         .value = byte_count(&WorkerSettings::body_buffer, 0, largest_body_buffer)},
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
