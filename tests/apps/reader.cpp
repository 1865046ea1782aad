// Reads the request's body in odd ways: ?mode=none, ?mode=first, ?mode=all&max=N, ?mode=back&max=N, ?mode=count (in
// pieces). With &sleep_ms=N it sleeps before that.
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <cppcorn/app.hpp>

using namespace cppcorn;

namespace {

Response text(std::string text) {
    return {200, {{"Content-Type", "text/plain"}}, text + "\n"};
}

std::size_t max_of(const Request& request) {
    const auto max = request.query_param("max");
    return max.has_value() ? std::strtoull(max->c_str(), nullptr, 10) : BodyReader::default_max;
}

} // namespace

Response app(Request& request) {
    const std::string mode = request.query_param("mode").value_or("all");
    const std::string sleep_ms = request.query_param("sleep_ms").value_or("0");
    std::this_thread::sleep_for(std::chrono::milliseconds(std::strtol(sleep_ms.c_str(), nullptr, 10)));
    if (mode == "none") return text("read nothing");
    if (mode == "first") {
        char byte = 0;
        return text(request.read(&byte, 1) == 0 ? "no body" : std::string("first byte ") + byte);
    }
    if (mode == "count") {
        std::string piece(64 * 1024, '\0');
        std::size_t count = 0;
        while (const std::size_t got = request.read(piece.data(), piece.size())) count += got;
        return text("read " + std::to_string(count) + " bytes");
    }
    if (mode == "back") return {200, {}, request.body(max_of(request))};
    return text("read " + std::to_string(request.body(max_of(request)).size()) + " bytes");
}
CPPCORN_APP(app)
