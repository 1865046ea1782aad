// The head of one request, checked. Everything in it is a view into the bytes that were parsed, which stay where they
// are (or are moved with rebase()) for as long as the head is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cppcorn::http {

struct Field {
    std::string_view name;
    std::string_view value;
};

struct RequestHead {
    std::string_view line;      // the request line as sent, without its CRLF
    std::string_view method;    // "GET"
    std::string_view target;    // as sent
    std::string_view path;      // of the target, not decoded; "/" where an absolute form has none; "*" for OPTIONS *
    std::string_view query;     // without the "?"
    std::string_view authority; // the absolute form's, else the Host field's; may be empty
    int minor = 1;              // HTTP/1.<minor>
    std::vector<Field> fields;  // in order, values trimmed; beside an absolute form, Host says what the target says
    std::size_t size = 0;       // in bytes, empty lines before it included: where the body begins

    std::int64_t content_length = 0; // 0: no body; -1: chunked
    bool keep_alive = true;          // what the client asks for (RFC 9112, 9.3)
    bool expect_continue = false;    // RFC 9110, 10.1.1; never on HTTP/1.0

    bool chunked() const { return content_length < 0; }
    bool has_body() const { return content_length != 0; }

    // The first field of that name, any case; nullptr if there is none.
    const Field* find(std::string_view name) const;

    // The bytes have moved from `from` to `to`: every view that points into the old place follows.
    void rebase(const char* from, const char* to);

    // Forgets everything but the vector's memory.
    void clear();
};

namespace detail {
bool same_letters(std::string_view a, std::string_view b); // of the same size
}

// ASCII only, as header names and tokens are compared.
inline bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && detail::same_letters(a, b);
}

} // namespace cppcorn::http
