// Takes uploads from those who know the word, and refuses the others before they have sent the file:
//
//     cppcorn upload:app
//     curl -T video.mp4 -H 'Authorization: Bearer corn' http://127.0.0.1:8000/
#include <cppcorn/app.hpp>

using namespace cppcorn;

namespace {

constexpr std::uint64_t largest = std::uint64_t{1} << 30;

std::optional<Response> refuse(const Request& request) {
    if (request.header("Authorization") != "Bearer corn") return Response{401, {{"WWW-Authenticate", "Bearer"}}};
    if (request.content_length().value_or(0) > largest) return Response{413};
    return std::nullopt;
}

} // namespace

class Upload {
  public:
    // By the head alone. Not called for small bodies, which are here by then.
    std::optional<Response> before_body(Request& request) { return refuse(request); }

    // All of the body is here: reading it waits for nobody.
    Response operator()(Request& request) {
        if (std::optional<Response> refusal = refuse(request)) return std::move(*refusal);
        char piece[64 * 1024];
        std::size_t size = 0;
        while (const std::size_t count = request.read(piece, sizeof piece)) size += count;
        return {200, {{"Content-Type", "text/plain"}}, "took " + std::to_string(size) + " bytes\n"};
    }
};
CPPCORN_APP_CLASS(app, Upload)
