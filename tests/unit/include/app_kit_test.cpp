// app.hpp's own part: from the C tables to Request and Response and back.
#include <stdexcept>

#include <cppcorn/app.hpp>
#include <sys/resource.h>

#include "tests/catch.hpp"
#include "tests/sanitized.hpp"
#include "tests/unit/include/app_kit_host.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;
using app_kit_test::Exchange;
using app_kit_test::LoadedApp;
using app_kit_test::Pairs;
using Catch::Matchers::Contains;

namespace {

std::string file_path() {
    static const TemporaryFolder folder;
    static const std::string path = folder.write("digits", "0123456789");
    return path;
}

Response answer_by_path(Request& request) {
    const std::string_view path = request.path();
    if (path == "/text") return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
    if (path == "/borrowed") return {200, {}, Body::borrowed("constant")};
    if (path == "/empty") return {204};
    if (path == "/unmodified") return {304, {{"Content-Length", "10"}}};
    if (path == "/own-length") return {200, {{"content-length", "3"}}, "abc"};
    if (path == "/pieces") return {200, {}, std::vector<std::string>{"ab", "cde"}};
    if (path == "/file") return {200, {}, File(file_path(), 2, 5)};
    if (path == "/no-file") return {200, {}, File("/nowhere/at/all")};
    if (path == "/bad-status") return {99, {}, "x"};
    if (path == "/throw") throw std::runtime_error("thrown");
    if (path == "/throw-int") throw 42;
    if (path == "/many") {
        Response response;
        for (int i = 0; i < 40; ++i) response.headers.add("X-" + std::to_string(i), "v");
        return response;
    }
    if (path == "/stream") {
        return {200, {}, [&request](Writer& out) {
                    out.write(request.method());
                    out.flush();
                    out.write(" streamed");
                }};
    }
    if (path == "/stream-throw") {
        return {200, {}, [](Writer& out) {
                    out.write("half");
                    throw std::runtime_error("late");
                }};
    }
    if (path == "/body") return {200, {}, request.body(8)};
    return {404, {}, "no\n"};
}
CPPCORN_APP(answer_by_path)

Exchange get(const std::string& path) {
    return LoadedApp(cppcorn_app_answer_by_path).get(path);
}

Exchange head(const std::string& path) {
    Exchange exchange;
    exchange.method = "HEAD";
    exchange.path = path;
    LoadedApp(cppcorn_app_answer_by_path).serve(exchange);
    return exchange;
}

} // namespace

TEST_CASE("app kit: text is one start and one write, with its length", "[app_kit]") {
    const Exchange exchange = get("/text");
    CHECK(exchange.result == 0);
    CHECK(exchange.status == 200);
    CHECK(exchange.response_fields == Pairs{{"Content-Type", "text/plain"}, {"Content-Length", "14"}});
    CHECK(exchange.response_body == "Hello, world!\n");
    CHECK(exchange.writes == 1);
    CHECK(exchange.flushes == 0);
}

TEST_CASE("app kit: the length is told where it is known and may be", "[app_kit]") {
    CHECK(get("/borrowed").field("Content-Length") == "8");
    CHECK(get("/pieces").field("Content-Length") == "5");
    CHECK(get("/pieces").response_body == "abcde");
    CHECK(get("/many").response_fields.size() == 41);
    CHECK(get("/stream").response_fields.empty());
    CHECK(get("/empty").response_fields.empty());
    CHECK(get("/unmodified").response_fields == Pairs{{"Content-Length", "10"}});
    CHECK(get("/own-length").response_fields == Pairs{{"content-length", "3"}});
}

TEST_CASE("app kit: a stream writes while it runs", "[app_kit]") {
    const Exchange exchange = get("/stream");
    CHECK(exchange.response_body == "GET streamed");
    CHECK(exchange.flushes == 1);
}

TEST_CASE("app kit: HEAD has the head of GET and no body", "[app_kit]") {
    for (const char* const path : {"/text", "/pieces", "/file", "/stream", "/stream-throw"}) {
        CAPTURE(path);
        const Exchange exchange = head(path);
        CHECK(exchange.result == 0);
        CHECK(exchange.response_fields == get(path).response_fields);
        CHECK(exchange.writes == 0);
    }
}

TEST_CASE("app kit: a part of a file is sent", "[app_kit]") {
    const Exchange exchange = get("/file");
    CHECK(exchange.field("Content-Length") == "5");
    CHECK(exchange.response_body == "23456");
}

TEST_CASE("app kit: File refuses what it cannot send", "[app_kit]") {
    CHECK_THROWS_WITH(File("/nowhere/at/all"), Contains("/nowhere/at/all: No such file"));
    CHECK_THROWS_WITH(File("/tmp"), Contains("cannot open /tmp: Is a directory"));
    CHECK_THROWS_AS(File("/dev/null"), std::system_error);
    CHECK_THROWS_AS(File(file_path(), 11), std::system_error);
    CHECK_THROWS_AS(File(file_path(), 5, 6), std::system_error);
    CHECK_THROWS_AS(File(file_path() + std::string("\0x", 2)), std::system_error);
    CHECK_FALSE(File::open("/tmp").has_value());
    CHECK(File::open(file_path()).value().size() == 10);
    CHECK(File(file_path(), 10).size() == 0);
}

namespace {

int reason_of(const std::string& path) {
    std::error_code error;
    CHECK_FALSE(File::open(path, error).has_value());
    return error.value();
}

} // namespace

TEST_CASE("app kit: only a path that is to blame makes File::open give nothing", "[app_kit]") {
    CHECK(reason_of("/nowhere/at/all") == ENOENT);
    CHECK(reason_of(file_path() + "/below") == ENOTDIR);
    CHECK(reason_of("/tmp") == EISDIR);
    CHECK(reason_of("/dev/null") == EINVAL);
    CHECK(reason_of("/" + std::string(300, 'x')) == ENAMETOOLONG);
    CHECK(reason_of(std::string("/tmp\0x", 6)) == ENOENT);
    CHECK_FALSE(File::open("/nowhere/at/all").has_value());

    std::error_code error = std::make_error_code(std::errc::io_error);
    CHECK(File::open(file_path(), error).has_value());
    CHECK_FALSE(error);
}

#if !CPPCORN_TEST_SANITIZED // which takes any object for broken where it can open nothing
TEST_CASE("app kit: without descriptors, File::open says so", "[app_kit]") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit none{3, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const int exhausted = reason_of(file_path());
    std::string thrown;
    try {
        File::open(file_path());
    } catch (const std::system_error& failure) {
        thrown = failure.what();
    }
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(exhausted == EMFILE);
    CHECK(thrown == "cannot open " + file_path() + ": Too many open files");
}
#endif

TEST_CASE("app kit: the status that fits a file's error", "[app_kit]") {
    for (const int error : {ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EISDIR, EINVAL, ENXIO, EXDEV}) {
        CHECK(detail::status_of_file_error(error) == 404);
    }
    for (const int error : {EACCES, EPERM}) CHECK(detail::status_of_file_error(error) == 403);
    for (const int error : {EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR}) CHECK(detail::status_of_file_error(error) == 503);
    for (const int error : {EIO, ESTALE, EOVERFLOW, EBADF}) CHECK(detail::status_of_file_error(error) == 500);
}

TEST_CASE("app kit: exceptions become failures and stay inside", "[app_kit]") {
    CHECK(get("/throw").failure == "std::runtime_error: thrown");
    CHECK(get("/throw").result != 0);
    CHECK(get("/throw").starts == 0);
    CHECK(get("/throw-int").failure == "int thrown");
    CHECK_THAT(get("/no-file").failure, Contains("cannot open /nowhere/at/all"));
    CHECK_THAT(get("/bad-status").failure, Contains("status 99"));
    const Exchange late = get("/stream-throw");
    CHECK(late.response_body == "half");
    CHECK(late.failure == "std::runtime_error: late");
}

TEST_CASE("app kit: a client that left is no failure of the app's", "[app_kit]") {
    for (const int error : {-EPIPE, -ETIMEDOUT}) {
        Exchange exchange;
        exchange.path = "/stream";
        exchange.write_error = error;
        LoadedApp(cppcorn_app_answer_by_path).serve(exchange);
        CHECK(exchange.failure.empty());
        CHECK(exchange.result == 0);
        CHECK(exchange.writes == 1); // it stopped
    }
}

TEST_CASE("app kit: any other error of write is the app's", "[app_kit]") {
    Exchange exchange;
    exchange.path = "/stream";
    exchange.write_error = -EMSGSIZE;
    LoadedApp(cppcorn_app_answer_by_path).serve(exchange);
    CHECK_THAT(exchange.failure, Contains("cannot write the response's body"));
}

TEST_CASE("app kit: a body that cannot be read is answered", "[app_kit]") {
    const auto post = [](int error, std::string body, std::int64_t content_length) {
        Exchange exchange;
        exchange.method = "POST";
        exchange.path = "/body";
        exchange.body = std::move(body);
        exchange.content_length = content_length;
        exchange.read_error = error;
        LoadedApp(cppcorn_app_answer_by_path).serve(exchange);
        return exchange;
    };
    CHECK(post(0, "12345678", 8).response_body == "12345678");
    CHECK(post(0, "12345678", -1).response_body == "12345678");
    CHECK(post(0, "123456789", -1).status == 413);
    CHECK(post(0, "123456789", 9).status == 413);
    CHECK(post(0, "123456789", 9).taken == 0);
    // By the server, where it is the server that cannot give the body.
    for (const int error : {-ETIMEDOUT, -EBADMSG, -EFBIG, -ECONNRESET}) {
        const Exchange exchange = post(error, "1234", 4);
        CHECK(exchange.starts == 0);
        CHECK(exchange.result == 0);
        CHECK(exchange.failure.empty());
    }
}

namespace {

Response look(Request& request) {
    CHECK(request.method() == "GET");
    CHECK(request.target() == "/a%20b?x=1");
    CHECK(request.path() == "/a b");
    CHECK(request.query() == "x=1&y=a+b%2B&y=second&%7a=z&empty");
    CHECK(request.query_param("x") == "1");
    CHECK(request.query_param("y") == "a b+");
    CHECK(request.query_param("z") == "z");
    CHECK(request.query_param("empty") == "");
    CHECK_FALSE(request.query_param("none").has_value());
    CHECK(request.header("x-one") == "1");
    CHECK_FALSE(request.header("X-Two").has_value());
    CHECK(request.fields().size() == 2);
    std::string names;
    for (const auto& [name, value] : request.fields()) names += std::string(name) + "=" + std::string(value) + " ";
    CHECK(names == "X-One=1 x-ONE=2 ");
    CHECK(request.remote_address() == "192.0.2.1");
    CHECK(request.remote_port() == 5000);
    CHECK(request.scheme() == "http");
    CHECK(request.authority() == "example.org:8000");
    CHECK(request.http_minor() == 1);
    CHECK(request.content_length() == 0);
    request.log(LogLevel::warning, "a line");
    request.extend_deadline(std::chrono::seconds(2));
    return {};
}
CPPCORN_APP(look)

} // namespace

TEST_CASE("app kit: a request in C++ terms", "[app_kit]") {
    Exchange exchange;
    exchange.target = "/a%20b?x=1";
    exchange.path = "/a b";
    exchange.query = "x=1&y=a+b%2B&y=second&%7a=z&empty";
    exchange.fields = {{"X-One", "1"}, {"x-ONE", "2"}};
    LoadedApp(cppcorn_app_look).serve(exchange);
    CHECK(exchange.status == 200);
    CHECK(exchange.log == Pairs{{"2", "a line"}});
    CHECK(exchange.extended_ms == 2000);
}

TEST_CASE("app kit: form decoding leaves broken escapes alone", "[app_kit]") {
    CHECK(form_decoded("100%") == "100%");
    CHECK(form_decoded("%4") == "%4");
    CHECK(form_decoded("%zz%41%00") == std::string("%zzA\0", 5));
    CHECK(form_decoded("%%41") == "%A");
    CHECK(find_param("&&a=1", "a") == "1");
    CHECK(find_param("a=1", "") == std::nullopt);
    CHECK(find_param("a==&b", "a") == "=");
}

TEST_CASE("app kit: headers are found in any case", "[app_kit]") {
    Headers headers{{"Content-Type", "text/plain"}, {"Set-Cookie", "a=1"}};
    headers.add("set-cookie", "b=2").set("CONTENT-TYPE", "text/html");
    CHECK(headers.size() == 3);
    CHECK(headers.find("content-type") == "text/html");
    CHECK(headers.find("Set-Cookie") == "a=1");
    headers.set("Set-Cookie", "c=3");
    CHECK(headers.size() == 2);
    headers.remove("SET-COOKIE");
    CHECK_FALSE(headers.contains("Set-Cookie"));
}
