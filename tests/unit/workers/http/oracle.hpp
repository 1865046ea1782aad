// A second reader of requests, for tests only: small, strict, slow, of whole inputs, and written from RFC 9112 and our
// own list of rules without a look at workers/http. What the server accepts must be accepted here, and be the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oracle {

enum class Underscores { drop, refuse, keep };

struct Rules {
    std::size_t request_line = 8190, fields = 100, field_size = 8190, head = 65536;
    std::uint64_t body = 0;          // 0: no limit
    std::size_t chunk_lines = 16384; // bytes of chunk-size lines beyond those of data
    Underscores underscores = Underscores::drop;
    bool any_method = false;
};

enum class Verdict { accepted, refused, incomplete };

struct Answer {
    Verdict verdict = Verdict::incomplete;
    std::string why;       // of a refusal
    bool deviates = false; // legal, and on the documented list of what the server refuses all the same

    std::string method, target, authority, body;
    int minor = 0;
    std::vector<std::pair<std::string, std::string>> fields; // names as sent; without those that are dropped
    bool keep_alive = false;
    std::size_t end = 0; // bytes up to the message's end, empty lines before it included
};

// The first request of `bytes`.
Answer read_request(std::string_view bytes, const Rules& rules = {});

} // namespace oracle
