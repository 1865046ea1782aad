// What a client may send at most. Sizes in bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cppcorn::http {

struct Limits {
    std::size_t request_line = 8190; // without its CRLF
    std::size_t fields = 100;        // header fields of one head
    std::size_t field_size = 8190;   // one header line without its CRLF
    std::size_t head = 65536;        // request line, header lines and the empty line together
    std::uint64_t body = 0;          // decoded body; 0 means no limit
    bool any_method = false;         // any token; else 3 to 20 capitals, digits, "-" and "#"
};

} // namespace cppcorn::http
