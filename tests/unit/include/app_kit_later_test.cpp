// app.hpp over what the host table has since ABI 1.1, and over a table that ends before that.
#include <string>

#include <cppcorn/app.hpp>

#include "tests/catch.hpp"
#include "tests/unit/include/app_kit_host.hpp"

using namespace cppcorn;
using app_kit_test::Exchange;
using app_kit_test::LoadedApp;
using app_kit_test::Pairs;

namespace {

Response later(Request& request) {
    request.early_hints({{"Link", "</a.css>; rel=preload"}});
    request.log_text(LogLevel::warning, "two\nlines");
    const std::string gone = request.client_gone() ? "gone" : "here";
    return {200, {}, [gone](Writer& writer) {
                writer.write(gone);
                writer.finish();
            }};
}

Response late_hints(Request& request) {
    return {200, {}, [&request](Writer& writer) {
                writer.write("x");
                request.early_hints({{"Link", "</a.css>"}});
            }};
}

Body with_reason(const Environ&, StartResponse& start_response) {
    start_response("404 No Such Thing");
    return "text";
}

} // namespace

CPPCORN_APP(later)
CPPCORN_APP(late_hints)
CPPCORN_APP(with_reason)

TEST_CASE("app kit: early hints, a finished response, and whether the client is there", "[app_kit]") {
    const LoadedApp app(cppcorn_app_later);
    Exchange exchange;
    exchange.is_gone = GENERATE(true, false);
    app.serve(exchange);
    CHECK(exchange.hints == Pairs{{"Link", "</a.css>; rel=preload"}});
    CHECK(exchange.log == Pairs{{"2", "two\nlines"}});
    CHECK(exchange.response_body == (exchange.is_gone ? "gone" : "here"));
    CHECK(exchange.finishes == 1);
}

TEST_CASE("app kit: hints that come too late are the app's fault", "[app_kit]") {
    Exchange exchange;
    LoadedApp(cppcorn_app_late_hints).serve(exchange);
    CHECK(exchange.hints.empty());
    CHECK_THAT(exchange.failure, Catch::Matchers::Contains("cannot send early hints"));
}

TEST_CASE("app kit: WSGI's reason phrase is sent", "[app_kit]") {
    Exchange exchange;
    LoadedApp(cppcorn_app_with_reason).serve(exchange);
    CHECK(exchange.status == 404);
    CHECK(exchange.reason == "No Such Thing");
}

TEST_CASE("app kit: with a server of ABI 1.0 an app does without", "[app_kit]") {
    Exchange exchange;
    LoadedApp(cppcorn_app_later, {}, app_kit_test::host_of_1_0()).serve(exchange);
    CHECK(exchange.result == 0);
    CHECK(exchange.hints.empty());
    CHECK(exchange.log == Pairs{{"2", "two\nlines"}});
    CHECK(exchange.response_body == "here");
    CHECK(exchange.finishes == 0);
    CHECK(exchange.flushes > 0);

    Exchange other;
    LoadedApp(cppcorn_app_with_reason, {}, app_kit_test::host_of_1_0()).serve(other);
    CHECK(other.status == 404);
    CHECK(other.reason.empty());
}
