// What every server in bench/ answers. The texts are made once: a server copies them or sends them as they are.
#pragma once

#include <ctime>
#include <string>

namespace bench {

inline std::string make_body(std::size_t size) {
    const std::string hello = "Hello, world!\n";
    return size == hello.size() ? hello : std::string(size, 'x');
}

// A Date field's value (RFC 9110 section 5.6.7) of this moment. Our floors never renew it.
inline std::string http_date() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text;
}

// As long as cppcorn's own, field for field.
inline std::string make_head(std::size_t body_size, const std::string& more_fields = "") {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body_size) +
           "\r\nServer: cppcorn\r\nDate: " + http_date() + "\r\n" + more_fields + "\r\n";
}

} // namespace bench
