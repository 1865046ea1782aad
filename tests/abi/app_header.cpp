// app.hpp, included as a normal header, has to be free of warnings also where an app asks for many. Uses each of its
// templates, for warnings show only in what is used.
#include <cppcorn/app.hpp>

using namespace cppcorn;

Response hello(Request& request) {
    return {200, {{"Content-Type", "text/plain"}}, std::string(request.path())};
}
CPPCORN_APP(hello)

Body wsgi(const Environ& env, StartResponse& start_response) {
    start_response("200 OK", {{"Content-Type", "text/plain"}});
    return env["PATH_INFO"];
}
CPPCORN_APP(wsgi)

auto create(std::string, int, std::optional<double>, bool) {
    return hello;
}
CPPCORN_APP(create)

template <App Inner>
auto around(Inner inner) {
    return wrap(std::move(inner), [](Inner& app, auto&... arguments) { return app(arguments...); });
}
CPPCORN_APP_AS(wrapped, with_hooks(
                            around(hello), [](const Worker&) {}, [] {}))
CPPCORN_APP_AS(wrapped_wsgi, with_hooks(around(wsgi), [] {}))

struct Object {
    explicit Object(std::string_view) {}
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    Response operator()(Request&) { return {204}; }
};
CPPCORN_APP_CLASS(object, Object, std::string_view)
