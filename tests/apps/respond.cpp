// Answers as it is told: ?status=404&name=X-A&value=1&length=5&body=Hello&pieces=2
// `name` and `value` may hold what must not be sent; `length` need not be the body's; with `pieces` the body is
// streamed that many times over; with `file` that file is, without its length.
#include <cstdlib>
#include <string>

#include <cppcorn/app.hpp>

using namespace cppcorn;

Response app(Request& request) {
    Response response;
    response.status = std::atoi(request.query_param("status").value_or("200").c_str());
    if (const auto name = request.query_param("name")) {
        response.headers.add(*name, request.query_param("value").value_or(""));
    }
    if (const auto length = request.query_param("length")) response.headers.add("Content-Length", *length);
    if (const auto file = request.query_param("file")) {
        response.body = [path = *file](Writer& out) { out.send_file(File(path)); };
        return response;
    }
    const std::string text = request.query_param("body").value_or("");
    if (const auto pieces = request.query_param("pieces")) {
        response.body = [text, count = std::atoi(pieces->c_str())](Writer& out) {
            for (int i = 0; i < count; ++i) {
                out.write(text);
                out.flush();
            }
        };
    } else {
        response.body = text;
    }
    return response;
}
CPPCORN_APP(app)
