// Every kind of body, and of failure, in WSGI's shape.
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <cppcorn/app.hpp>

using namespace cppcorn;

namespace {

Body generator(std::optional<int> fail_at) {
    return [i = 0, fail_at]() mutable -> std::optional<std::string> {
        if (i == fail_at) throw std::runtime_error("wsgi: thrown in the generator");
        if (i == 3) return std::nullopt;
        return "piece " + std::to_string(++i) + "\n";
    };
}

Body late_start(StartResponse& start_response) {
    return [&start_response]() -> std::optional<std::string> {
        if (start_response.called()) return std::nullopt;
        start_response("200 OK", {{"Content-Type", "text/plain"}});
        return "started late\n";
    };
}

} // namespace

Body app(const Environ& env, StartResponse& start_response) {
    const std::string& path = env["PATH_INFO"];
    if (path == "/early-throw") throw std::runtime_error("wsgi: thrown before start_response");
    if (path == "/no-start") return "never sent\n";
    if (path == "/late-start") return late_start(start_response);
    if (path == "/bad-status") start_response("OK 200");

    start_response("200 OK", {{"Content-Type", "text/plain"}});
    if (path == "/throw") throw std::runtime_error("wsgi: thrown after start_response");
    if (path == "/twice") start_response("500 Oops");
    if (path == "/missing") return env["NO_SUCH_VARIABLE"];
    if (path == "/list") return std::vector<std::string>{"one\n", "two\n", "three\n"};
    if (path == "/generator") return generator(std::nullopt);
    if (path == "/generator-early-throw") return generator(0);
    if (path == "/generator-throw") return generator(2);
    if (path == "/file") return File(env.request().query_param("path").value_or("/etc/hostname"));
    if (path == "/input") return env.input().read_all();
    if (path == "/errors") env.errors().write("wsgi: a line for the error log");
    return "ok\n";
}
CPPCORN_APP(app)
