// A strict reader of responses (RFC 9112, 4 and 6), for what the server writes: it takes one form only where the server
// has a choice, and knows nothing that the server does not send.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

struct Response {
    enum class Framing { none, length, chunked, until_close };

    int status = 0;
    std::vector<std::pair<std::string, std::string>> fields; // names in small letters
    Framing framing = Framing::none;
    std::string body;
    bool complete = false; // false: the bytes ended within it
    std::size_t size = 0;  // of all of it

    // "" where there is none; several are joined.
    std::string value(std::string_view name) const;
    bool has(std::string_view name) const;
    bool closes() const { return value("connection") == "close" || value("connection") == "close, upgrade"; }
};

class BadResponse : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The first response of `bytes`, to a request of HTTP/1.`minor`. Throws BadResponse.
Response read_response(std::string_view bytes, bool head_request, int minor);

} // namespace fuzz
