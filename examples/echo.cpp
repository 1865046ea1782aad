// Echoes the request's body, piece by piece: a body of any size takes no more memory than one piece.
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
    // The first piece is read before the response begins: a client may wait to be told that its body is wanted.
    std::string first(64 * 1024, '\0');
    first.resize(request.read(first.data(), first.size()));
    // Runs after this function has returned, when `request` is still there and `first` is not.
    response.body = [&request, first](Writer& out) {
        out.write(first);
        std::array<char, 64 * 1024> piece;
        while (const std::size_t count = request.read(piece)) out.write({piece.data(), count});
    };
    return response;
}
CPPCORN_APP(app)
