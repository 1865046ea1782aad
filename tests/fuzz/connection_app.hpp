// The app behind the connection that is fuzzed. What it does is in the first letter of the path; what it wrote is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <cppcorn/abi.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz_input.hpp"
#include "workers/exchange/host.hpp"

namespace connection_app {

using cppcorn::host_table;

// A request that the app has seen, and the body that it wrote successfully.
struct Call {
    bool head_request;
    int minor;
    std::string written;
    bool whole = false; // the app meant that to be all of it
};

inline std::vector<Call> calls;

inline const std::string filler(70'000, 'x');

inline std::string read_all(const cppcorn_request* request, std::size_t most) {
    std::string body;
    char piece[1000];
    while (body.size() < most) {
        const std::int64_t got = host_table().read(request, piece, sizeof piece);
        if (got <= 0) break;
        body.append(piece, static_cast<std::size_t>(got));
    }
    return body;
}

inline int begin(const cppcorn_request* request, int status, std::optional<std::size_t> length) {
    const std::string text = std::to_string(length.value_or(0));
    const cppcorn_field fields[] = {{{"Content-Length", 14}, {text.data(), text.size()}}, {{"X-App", 5}, {"yes", 3}}};
    return host_table().start(request, status, length ? fields : fields + 1, length ? 2 : 1);
}

inline bool write(const cppcorn_request* request, std::string_view data) {
    if (host_table().write(request, data.data(), data.size()) != 0) return false;
    calls.back().written += data;
    return true;
}

inline int file_with(std::string_view text) {
    static const int file = [&] {
        const int made = ::memfd_create("fuzz", MFD_CLOEXEC);
        if (made < 0 || ::write(made, text.data(), text.size()) < 0) fuzz::fail("no file");
        return made;
    }();
    return file;
}

inline int respond(const cppcorn_request* request, char kind) {
    Call& call = calls.back();
    call.whole = true;
    switch (kind) {
        case 's': // streams
            if (begin(request, 200, std::nullopt) != 0) return 1;
            for (int i = 0; i < 5; ++i) {
                if (!write(request, "a piece") || host_table().flush(request) != 0) return 0;
            }
            return 0;
        case 'l': // much more than sockets hold
            if (begin(request, 200, filler.size() * 12) != 0) return 1;
            for (int i = 0; i < 12; ++i) {
                if (!write(request, filler)) return 0;
            }
            return 0;
        case 'f':
            if (begin(request, 200, 1000) != 0) return 1;
            if (host_table().send_file(request, file_with(filler), 10, 1000) == 0) call.written.assign(1000, 'x');
            return 0;
        case 'd': // less than declared
            call.whole = false;
            if (begin(request, 200, 10) == 0) write(request, "short");
            return 0;
        case 'm': // more than declared
            if (begin(request, 200, 4) == 0)
                call.written = host_table().write(request, "longer", 6) == 0 ? "longer" : "long";
            return 0;
        case 'n': // no body, and reads none
            return begin(request, 204, std::nullopt);
        case 'x':
            call.whole = false;
            host_table().fail(request, "on\npurpose", 10);
            return 0;
        case 'h': // half of the body
            read_all(request, 5);
            return begin(request, 200, 0);
        case 'w': // begins before it reads
            if (begin(request, 200, std::nullopt) != 0) return 1;
            write(request, read_all(request, SIZE_MAX));
            return 0;
        case 'r': // what cannot be sent
            call.whole = false;
            return host_table().start(request, 99, nullptr, 0);
    }
    const std::string body = read_all(request, SIZE_MAX);
    if (begin(request, 200, body.size()) == 0) write(request, body);
    return 0;
}

inline int handle(void*, const cppcorn_request* request) {
    const std::string_view method(request->method.data, request->method.size);
    calls.push_back({method == "HEAD", static_cast<int>(request->http_minor), {}});
    host_table().extend_deadline(request, 100);
    return respond(request, request->path.size > 1 ? request->path.data[1] : 'e');
}

} // namespace connection_app
