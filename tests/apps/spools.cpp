// Large bodies in both directions. `app`: GET /write?bytes=N in one piece, /stream?bytes=N&piece=N in many,
// /files?count=N&bytes=N in files; POST counts the bytes of the body and adds them up: "read 5 bytes, sum 1234". A body
// that it makes is the bytes of a pattern, so that what is lost or swapped shows. `early`: the same app, which reads
// bodies as they arrive. `asks`: the same, which refuses requests with "X-Refuse: 401".
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <cppcorn/app.hpp>
#include <stdlib.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

Response text(std::string text) {
    return {200, {{"Content-Type", "text/plain"}}, text + "\n"};
}

std::size_t number(const Request& request, const char* name, std::size_t fallback) {
    const auto given = request.query_param(name);
    return given ? std::strtoull(given->c_str(), nullptr, 10) : fallback;
}

// A prime, so that no piece begins like another.
constexpr std::size_t period = 251;

std::string pattern(std::size_t from, std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((from + i) % period);
    return bytes;
}

Body streamed(std::size_t bytes, std::size_t piece) {
    return [=](Writer& writer) {
        for (std::size_t at = 0; at < bytes; at += piece) writer.write(pattern(at, std::min(piece, bytes - at)));
    };
}

// Files without names, of one piece each.
Body in_files(std::size_t count, std::size_t bytes) {
    return [=](Writer& writer) {
        for (std::size_t i = 0; i < count; ++i) {
            char name[] = "/tmp/cppcorn-test-spools-XXXXXX";
            const int file = ::mkstemp(name);
            ::unlink(name);
            const std::string content = pattern(i * bytes, bytes);
            if (::write(file, content.data(), content.size()) < 0) throw std::runtime_error("cannot write");
            writer.send_file(File::adopt(file));
        }
    };
}

Response count(Request& request) {
    std::string piece(64 * 1024, '\0');
    std::size_t size = 0;
    std::uint64_t sum = 0;
    while (const std::size_t got = request.read(piece.data(), piece.size())) {
        for (std::size_t i = 0; i < got; ++i) sum += static_cast<unsigned char>(piece[i]) * ((size + i) % period + 1);
        size += got;
    }
    return text("read " + std::to_string(size) + " bytes, sum " + std::to_string(sum));
}

Response answer(Request& request) {
    const std::size_t bytes = number(request, "bytes", 0);
    if (const std::size_t ms = number(request, "sleep_ms", 0); ms > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    }
    if (request.method() != "GET") return count(request);
    if (request.path() == "/write") return {200, {}, pattern(0, bytes)};
    if (request.path() == "/stream") return {200, {}, streamed(bytes, number(request, "piece", 10'000))};
    if (request.path() == "/files") return {200, {}, in_files(number(request, "count", 1), bytes)};
    return text("here");
}

std::optional<Response> ask(Request& request) {
    const auto refuse = request.header("X-Refuse");
    if (!refuse) return std::nullopt;
    if (*refuse == "throw") throw std::runtime_error("cannot say");
    if (*refuse == "read") request.body();
    return Response{std::atoi(std::string(*refuse).c_str()), {}, "asked, refused\n"};
}

} // namespace

CPPCORN_APP_AS(app, answer)
CPPCORN_APP_AS(early, reading_as_it_arrives(answer))
CPPCORN_APP_AS(asks, with_before_body(answer, ask))
