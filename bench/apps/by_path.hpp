// What the app does under BY_PATH:
//   /sleep/5    sleeps 5 ms; any other path does not
//   /bytes/N    N bytes, written one piece after another; byte i is i % 251
//   /pid        which process answers
//   a POST      reads the body; answers its size, and how many pieces of it were not as above
// Answers begin with the request's query, so that a client sees whether an answer is its own.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include <cppcorn/app.hpp>
#include <unistd.h>

namespace bench {

constexpr std::size_t period = 251;

inline const std::string& pattern() {
    static const std::string bytes = [] {
        std::string made(64 * 1024 + period, 0);
        for (std::size_t i = 0; i < made.size(); ++i) made[i] = static_cast<char>(i % period);
        return made;
    }();
    return bytes;
}

inline std::string swallow(cppcorn::Request& request) {
    std::array<char, 64 * 1024> piece;
    std::size_t size = 0;
    unsigned wrong = 0;
    while (const std::size_t count = request.read(piece)) {
        if (std::memcmp(piece.data(), pattern().data() + size % period, count) != 0) ++wrong;
        size += count;
    }
    return " " + std::to_string(size) + " " + std::to_string(wrong);
}

inline void write_pattern(cppcorn::Writer& out, std::size_t size) {
    for (std::size_t at = 0; at < size;) {
        const std::size_t count = std::min<std::size_t>(64 * 1024, size - at);
        out.write(std::string_view(pattern()).substr(at % period, count));
        at += count;
    }
}

inline cppcorn::Response answer_by_path(cppcorn::Request& request) {
    const std::string path(request.path());
    const std::string number = path.substr(std::min(path.rfind('/') + 1, path.size()));
    std::string body(request.query());
    if (request.method() == "POST") body += swallow(request);
    if (path == "/pid") body += std::to_string(::getpid());
    if (path.starts_with("/sleep/")) std::this_thread::sleep_for(std::chrono::milliseconds(std::stoul(number)));
    if (path.starts_with("/bytes/")) {
        const std::size_t size = std::stoull(number);
        return {200, {{"Content-Type", "text/plain"}, {"Content-Length", number}}, [size](cppcorn::Writer& out) {
                    write_pattern(out, size);
                }};
    }
    return {200, {{"Content-Type", "text/plain"}}, std::move(body)};
}

} // namespace bench
