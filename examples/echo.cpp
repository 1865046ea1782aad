// Gives the request's body back, piece by piece: a body of any size takes no more memory than one piece.
#include <array>
#include <string>

#include <cppcorn/app.hpp>

using namespace cppcorn;

Response app(Request& request) {
    Response response;
    if (const auto type = request.header("Content-Type")) response.headers.add("Content-Type", *type);
    if (const auto length = request.content_length()) {
        response.headers.add("Content-Length", std::to_string(*length));
    }
    // Runs after this function has returned, so it captures the request and nothing else.
    response.body = [&request](Writer& out) {
        std::array<char, 64 * 1024> piece;
        while (const std::size_t count = request.read(piece)) out.write({piece.data(), count});
    };
    return response;
}
CPPCORN_APP(app)
