// app.hpp's entry functions: which callables are apps, which are factories, and what becomes of literal arguments.
#include <memory>
#include <mutex>
#include <stdexcept>

#include <cppcorn/app.hpp>

#include "tests/catch.hpp"
#include "tests/unit/include/app_kit_host.hpp"

using namespace cppcorn;
using app_kit_test::Exchange;
using app_kit_test::LoadedApp;
using app_kit_test::Pairs;

namespace {

Response hello(Request&) {
    return {200, {}, "hello"};
}

Body wsgi(const Environ&, StartResponse& start_response) {
    start_response("200 OK");
    return "wsgi";
}

auto create(std::string name, std::int8_t times, std::optional<double> factor, const std::optional<bool>& loud) {
    return [=](Request&) -> Response {
        return {200,
                {},
                name + " " + std::to_string(times) + " " + std::to_string(factor.value_or(1)) + " " +
                    (loud.has_value() ? (*loud ? "loud" : "soft") : "either")};
    };
}
auto wsgi_factory(std::string_view text, const char* more) {
    return [text, more](const Environ&, StartResponse& start_response) -> Body {
        start_response("200 OK");
        return std::string(text) + more;
    };
}
auto fails() -> std::function<Response(Request&)> {
    throw std::runtime_error("no such folder");
}
auto takes_one(unsigned number) {
    return [number](Request&) -> Response { return {200, {}, std::to_string(number)}; };
}

static_assert(RequestApp<decltype(hello)> && !WsgiApp<decltype(hello)> && !Factory<decltype(hello)>);
static_assert(WsgiApp<decltype(wsgi)> && !RequestApp<decltype(wsgi)> && !Factory<decltype(wsgi)>);
static_assert(App<std::function<Response(Request&)>>);
static_assert(Factory<decltype(create)> && !App<decltype(create)>);
static_assert(Factory<decltype(wsgi_factory)> && Factory<decltype(fails)&>);
static_assert(!App<int> && !Factory<int> && !Factory<int (*)(int)>);

// Neither copied nor moved: built in place.
class Counter {
  public:
    explicit Counter(int first, std::string name = "") : count_(first), name_(std::move(name)) {}
    Counter(int first, std::optional<std::string> name) : Counter(first, name.value_or("nobody")) {}
    Counter(const Counter&) = delete;
    Counter& operator=(const Counter&) = delete;

    Response operator()(Request&) {
        const std::lock_guard lock(mutex_);
        return {200, {}, name_ + " " + std::to_string(count_++)};
    }
    void worker_start(const Worker& worker) {
        if (worker.slot() > 8) throw std::runtime_error("no room");
        worker.log(LogLevel::info, "start " + std::to_string(worker.slot()) + " " + std::string(worker.name()));
    }
    void worker_exit() { log(LogLevel::debug, "exit"); }

  private:
    std::mutex mutex_;
    int count_;
    std::string name_;
};

int starts = 0;
Counter global_counter(100, std::string("global"));

template <App Inner>
auto with_header(Inner inner) {
    return wrap(std::move(inner), [](Inner& app, Request& request) {
        Response response = app(request);
        response.headers.add("X-Added", "yes");
        return response;
    });
}

template <App Inner>
auto wsgi_with_header(Inner inner) {
    return wrap(std::move(inner), [](Inner& app, const Environ& env, StartResponse& start_response) {
        Body body = app(env, start_response);
        start_response.headers().add("X-Added", "yes");
        return body;
    });
}

CPPCORN_APP(hello)
CPPCORN_APP(wsgi)
CPPCORN_APP(create)
CPPCORN_APP(wsgi_factory)
CPPCORN_APP(fails)
CPPCORN_APP(takes_one)
CPPCORN_APP(global_counter)
CPPCORN_APP_AS(lambda, [](Request&) -> Response { return {200, {}, "lambda"}; })
CPPCORN_APP_AS(wrapped, with_header(with_header(hello)))
CPPCORN_APP_AS(wsgi_wrapped, wsgi_with_header(wsgi))
CPPCORN_APP_AS(hooked, with_header(with_hooks(
                           hello, [] { ++starts; }, [] { --starts; })))
CPPCORN_APP_CLASS(counter, Counter, int, std::optional<std::string>)

cppcorn_value null() {
    return {};
}
cppcorn_value number(std::int64_t value) {
    return {CPPCORN_INTEGER, 0, value, 0, {}};
}
cppcorn_value real(double value) {
    return {CPPCORN_REAL, 0, 0, value, {}};
}
cppcorn_value truth(bool value) {
    return {CPPCORN_BOOL, value ? 1U : 0U, 0, 0, {}};
}
cppcorn_value text(std::string_view value) {
    return {CPPCORN_TEXT, 0, 0, 0, app_kit_test::str(value)};
}

std::string message(cppcorn_entry_fn entry, const std::vector<cppcorn_value>& arguments) {
    const LoadedApp app(entry, arguments);
    return app.result != 0 ? app.message : app.get().response_body;
}

} // namespace

TEST_CASE("app kit: both shapes, functions, lambdas and variables", "[app_kit]") {
    CHECK(LoadedApp(cppcorn_app_hello).get().response_body == "hello");
    CHECK(LoadedApp(cppcorn_app_wsgi).get().response_body == "wsgi");
    CHECK(LoadedApp(cppcorn_app_lambda).get().response_body == "lambda");
    CHECK(LoadedApp(cppcorn_app_global_counter).get().response_body == "global 100");
    CHECK(LoadedApp(cppcorn_app_global_counter).get().response_body == "global 101");
}

TEST_CASE("app kit: literal arguments become the factory's", "[app_kit]") {
    CHECK(message(cppcorn_app_create, {text("Ada"), number(2), real(0.5), truth(true)}) == "Ada 2 0.500000 loud");
    CHECK(message(cppcorn_app_create, {text("Ada"), number(-128), null(), truth(false)}) == "Ada -128 1.000000 soft");
    CHECK(message(cppcorn_app_create, {text("Ada"), number(2), number(3)}) == "Ada 2 3.000000 either");
    CHECK(message(cppcorn_app_create, {text("Ada"), number(2)}) == "Ada 2 1.000000 either");
    CHECK(message(cppcorn_app_counter, {number(7)}) == "nobody 7");
    CHECK(message(cppcorn_app_counter, {number(7), text("Ada")}) == "Ada 7");
}

TEST_CASE("app kit: text that a factory takes as a view lives as long as the app", "[app_kit]") {
    auto first = std::make_unique<std::string>("a text that is too long to be kept in place, ");
    const std::vector<cppcorn_value> arguments{text(*first), text("and more")};
    const LoadedApp app(cppcorn_app_wsgi_factory, arguments);
    first->assign(first->size(), '#');
    first.reset();
    CHECK(app.get().response_body == "a text that is too long to be kept in place, and more");
}

TEST_CASE("app kit: a wrong number of arguments", "[app_kit]") {
    CHECK(message(cppcorn_app_create, {}) == "takes 2 to 4 arguments, got 0");
    CHECK(message(cppcorn_app_create, {text("")}) == "takes 2 to 4 arguments, got 1");
    CHECK(message(cppcorn_app_wsgi_factory, {text("")}) == "takes 2 arguments, got 1");
    CHECK(message(cppcorn_app_takes_one, {}) == "takes 1 argument, got 0");
    CHECK(message(cppcorn_app_counter, {}) == "takes 1 to 2 arguments, got 0");
    CHECK(message(cppcorn_app_hello, {number(1)}) == "takes no arguments, got 1");
    CHECK(message(cppcorn_app_fails, {number(1), number(2)}) == "takes no arguments, got 2");
}

TEST_CASE("app kit: arguments of a wrong type", "[app_kit]") {
    CHECK(message(cppcorn_app_create, {text(""), text("")}) == "argument 2 must be a whole number, got text");
    CHECK(message(cppcorn_app_create, {text(""), real(2.5)}) ==
          "argument 2 must be a whole number, got a number with a fraction");
    CHECK(message(cppcorn_app_create, {number(1), number(1)}) == "argument 1 must be text, got a whole number");
    CHECK(message(cppcorn_app_create, {null(), number(1)}) == "argument 1 must be text, got null");
    CHECK(message(cppcorn_app_create, {text(""), number(1), truth(true)}) ==
          "argument 3 must be a number or null, got true");
    CHECK(message(cppcorn_app_create, {text(""), number(1), null(), number(1)}) ==
          "argument 4 must be true or false or null, got a whole number");
}

TEST_CASE("app kit: numbers out of range", "[app_kit]") {
    CHECK(message(cppcorn_app_create, {text(""), number(128)}) == "argument 2 must be from -128 to 127, got 128");
    CHECK(message(cppcorn_app_takes_one, {number(-1)}) == "argument 1 must be from 0 to 4294967295, got -1");
}

TEST_CASE("app kit: a factory that throws", "[app_kit]") {
    CHECK(message(cppcorn_app_fails, {}) == "no such folder");
}

TEST_CASE("app kit: middleware composes", "[app_kit]") {
    const Exchange exchange = LoadedApp(cppcorn_app_wrapped).get();
    CHECK(exchange.response_fields == Pairs{{"X-Added", "yes"}, {"X-Added", "yes"}, {"Content-Length", "5"}});
    CHECK(LoadedApp(cppcorn_app_wsgi_wrapped).get().field("X-Added") == "yes");
}

TEST_CASE("app kit: hooks run, also through middleware", "[app_kit]") {
    const LoadedApp app(cppcorn_app_hooked);
    CHECK(app.worker_start(0) == 0);
    CHECK(starts == 1);
    app.worker_exit();
    CHECK(starts == 0);
    CHECK(LoadedApp(cppcorn_app_hello).worker_start(0) == 0);
}

TEST_CASE("app kit: hooks of a class, and one that throws", "[app_kit]") {
    const LoadedApp app(cppcorn_app_counter, {number(0)});
    app_kit_test::lines_without_request().clear();
    CHECK(app.worker_start(3) == 0);
    CHECK(app.worker_start(9) != 0);
    app.worker_exit();
    CHECK(app_kit_test::lines_without_request() ==
          Pairs{{"1", "start 3 test"}, {"3", "worker_start failed: std::runtime_error: no room"}, {"0", "exit"}});
}

TEST_CASE("app kit: the module says what it is", "[app_kit]") {
    const cppcorn_module_info* const info = cppcorn_module_info_v1();
    CHECK(info->size == sizeof *info);
    CHECK(info->magic == CPPCORN_MAGIC);
    CHECK(info->abi_major == CPPCORN_ABI_MAJOR);
    CHECK_FALSE(std::string(info->compiler).empty());
}

TEST_CASE("app kit: a server of another major is refused", "[app_kit]") {
    cppcorn_host other = app_kit_test::host();
    other.abi_major = 2;
    char error[100] = "";
    cppcorn_load load{};
    load.size = sizeof load;
    load.host = &other;
    load.error = error;
    load.error_room = sizeof error;
    cppcorn_app app{};
    app.size = sizeof app;
    load.app = &app;
    CHECK(cppcorn_app_hello(&load) != 0);
    CHECK(std::string(error) == "built for ABI 1; this server speaks ABI 2");
    CHECK(app.handle == nullptr);
}

TEST_CASE("app kit: fills in what it offers and leaves the rest of the table alone", "[app_kit]") {
    const auto others = [](void*, const char*) -> const void* { return nullptr; };
    cppcorn_app app{};
    app.size = offsetof(cppcorn_app, extension); // a server whose table ends here: what follows is not the app's
    app.extension = others;
    cppcorn_load load{};
    load.size = sizeof load;
    load.host = &app_kit_test::host();
    load.app = &app;
    REQUIRE(cppcorn_app_hello(&load) == 0);
    CHECK(app.size == offsetof(cppcorn_app, extension));
    CHECK(app.flags == 0);
    CHECK(app.handle != nullptr);
    CHECK(app.worker_start != nullptr);
    CHECK(app.worker_exit != nullptr);
    CHECK(app.extension == +others);
    REQUIRE(app.destroy != nullptr);
    app.destroy(app.self);
}
