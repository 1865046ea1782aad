// What a proxy in front says of a request for those who follow it from log to log: its id (X-Request-Id), and when the
// proxy got it (X-Request-Start). From any other peer they are taken out, as an app would believe them. Nobody but the
// server itself says how long a request has waited (X-Queue-Time).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workers/http/request_head.hpp"

namespace cppcorn::http {

inline constexpr std::string_view request_id_field = "X-Request-Id";
inline constexpr std::string_view queue_time_field = "X-Queue-Time";

struct RequestMarks {
    std::string_view id;         // into the head, whose field of that name it is; empty: there is none that counts
    std::int64_t started_us = 0; // since the epoch; 0: not told
};

// Whether the head may have any: most have none, and this look is all that they cost.
inline bool may_have_marks(const RequestHead& head) {
    for (const Field& field : head.fields) {
        const std::size_t size = field.name.size();
        if ((size == 12 || size == 15) && (field.name.front() | 0x20) == 'x') return true;
    }
    return false;
}

// Takes the fields that do not count out of the head. Several ids count as none.
RequestMarks take_marks(RequestHead& head, bool is_trusted);

// 20 to 200 letters, digits and -_.:+/=: nothing that a log, a page or a shell would read as something else.
bool is_request_id(std::string_view text);

// "t=1700000000.123": seconds, milliseconds or microseconds since the epoch, told apart by their size, with or without
// "t=" and a fraction. In microseconds; 0 for anything else.
std::int64_t read_start(std::string_view text);

// W3C Trace Context, 3.2: of this version, or of a later one that begins the same way.
bool is_traceparent(std::string_view text);

} // namespace cppcorn::http
