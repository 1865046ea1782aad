// Middleware: functions that take an app and return an app.
#include <chrono>
#include <string>
#include <utility>

#include <cppcorn/app.hpp>

using namespace cppcorn;

Response hello(Request&) {
    return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
}

template <App Inner>
auto with_header(Inner inner, std::string name, std::string value) {
    return wrap(std::move(inner), [name, value](Inner& app, Request& request) {
        Response response = app(request);
        response.headers.set(name, value);
        return response;
    });
}

template <App Inner>
auto timed(Inner inner) {
    return wrap(std::move(inner), [](Inner& app, Request& request) {
        using Clock = std::chrono::steady_clock;
        const auto began = Clock::now();
        Response response = app(request);
        const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
        request.log(LogLevel::info, "took " + std::to_string(took.count()) + " microseconds");
        return response;
    });
}

CPPCORN_APP_AS(app, timed(with_header(hello, "X-Served-By", "cppcorn")))
