#include "workers/access_log/access_format.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "server/settings/settings.hpp"
#include "tests/catch.hpp"

using namespace cppcorn;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using namespace std::chrono_literals;

namespace {

// Sets the time zone for as long as it lives.
class Zone {
  public:
    explicit Zone(const char* name) { set(name); }
    ~Zone() { set("UTC"); }

  private:
    static void set(const char* name) {
        ::setenv("TZ", name, 1);
        ::tzset();
    }
};

// A request and its response; tests change what they are about.
struct Exchange {
    http::RequestHead head;
    std::vector<http::Field> response_fields;
    AccessRecord record;

    Exchange() {
        head.line = "GET /a%20b?x=1 HTTP/1.1";
        head.method = "GET";
        head.target = "/a%20b?x=1";
        head.path = "/a%20b";
        head.query = "x=1";
        head.fields = {{"Host", "example.org"}, {"referer", "http://r/"}, {"User-Agent", "curl/8"}, {"X-Id", "7"}};
        response_fields = {{"Content-Type", "text/plain"}, {"X-Out", "o"}};
        record.remote_address = "192.0.2.1";
        record.head = &head;
        record.request_line = head.line;
        record.request_id = "0123456789abcdef0123";
        record.status = 200;
        record.body_size = 1234;
        record.response_fields = response_fields;
        record.started = std::chrono::system_clock::time_point(1795392343s + 45ms); // 2026-11-23 00:05:43.045 UTC
        record.duration = 2'034'567us;
    }
    Exchange(const Exchange&) = delete;

    std::string line(std::string_view format) const {
        std::string out;
        AccessFormat(format).append(out, record);
        REQUIRE_FALSE(out.empty());
        CHECK(out.back() == '\n');
        out.pop_back();
        return out;
    }
};

std::string error_of(std::string_view format) {
    try {
        AccessFormat{format};
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    FAIL("no error for " << format);
    return {};
}

std::string user_of(std::string_view authorization) {
    Exchange exchange;
    exchange.head.fields.push_back({"authorization", authorization});
    return exchange.line("%(u)s");
}

bool has_control_byte(const std::string& line) {
    for (const char c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
    }
    return false;
}

} // namespace

TEST_CASE("the default format is gunicorn's") {
    const Zone zone("UTC");
    CHECK(Exchange().line(AccessLogOptions{}.format) ==
          R"(192.0.2.1 - - [23/Nov/2026:00:05:43 +0000] "GET /a%20b?x=1 HTTP/1.1" 200 1234 "http://r/" "curl/8")");
}

TEST_CASE("each atom that is documented can be used") {
    CHECK(access_atoms().size() == 26);
    for (const AccessAtom& atom : access_atoms()) {
        CAPTURE(atom.spelling);
        CHECK_NOTHROW(AccessFormat(atom.spelling));
        CHECK_FALSE(atom.meaning.empty());
    }
}

TEST_CASE("the line of an answer that was cut says so at its end") {
    Exchange exchange;
    exchange.record.cut = true;
    CHECK(exchange.line("%(s)s") == "200 cut");
    CHECK_THAT(exchange.line("json"), EndsWith(R"(,"cut":true})"));
    CHECK_THAT(exchange.line("logfmt"), EndsWith(" cut=true"));
}

TEST_CASE("each atom has its value") {
    const Exchange exchange;
    CHECK(exchange.line("%(h)s") == "192.0.2.1");
    CHECK(exchange.line("%(l)s") == "-");
    CHECK(exchange.line("%(r)s") == "GET /a%20b?x=1 HTTP/1.1");
    CHECK(exchange.line("%(m)s") == "GET");
    CHECK(exchange.line("%(U)s") == "/a%20b");
    CHECK(exchange.line("%(q)s") == "x=1");
    CHECK(exchange.line("%(H)s") == "HTTP/1.1");
    CHECK(exchange.line("%(s)s") == "200");
    CHECK(exchange.line("%(B)s") == "1234");
    CHECK(exchange.line("%(b)s") == "1234");
    CHECK(exchange.line("%(f)s") == "http://r/");
    CHECK(exchange.line("%(a)s") == "curl/8");
    CHECK(exchange.line("%(T)s") == "2");
    CHECK(exchange.line("%(D)s") == "2034567");
    CHECK(exchange.line("%(M)s") == "2034");
    CHECK(exchange.line("%(L)s") == "2.034567");
    CHECK(exchange.line("%(p)s") == "<" + std::to_string(::getpid()) + ">");
    CHECK(exchange.line("%({x-id}i)s") == "7");
    CHECK(exchange.line("%({CONTENT-type}o)s") == "text/plain");
    CHECK(exchange.line("100%% of %(m)s%(s)s%%") == "100% of GET200%");
    CHECK(exchange.line("") == "");
}

TEST_CASE("small durations keep their zeros") {
    Exchange exchange;
    exchange.record.duration = 1'999ns;
    CHECK(exchange.line("%(T)s %(M)s %(D)s %(L)s") == "0 0 1 0.000001");
    exchange.record.duration = -5s;
    CHECK(exchange.line("%(D)s") == "0");
}

TEST_CASE("the protocol tells the minor version") {
    Exchange exchange;
    exchange.head.minor = 0;
    CHECK(exchange.line("%(H)s") == "HTTP/1.0");
}

TEST_CASE("an empty body is 0, no answer is a dash") {
    Exchange exchange;
    exchange.record.body_size = 0;
    CHECK(exchange.line("%(s)s %(B)s %(b)s") == "200 0 0");
    exchange.record.status = 0;
    CHECK(exchange.line("%(s)s %(B)s %(b)s") == "- 0 -");
}

TEST_CASE("missing things are dashes, empty ones are empty") {
    Exchange exchange;
    exchange.record.head = nullptr;
    exchange.record.remote_address = "";
    exchange.record.response_fields = {};
    exchange.record.request_line = "GET / HT";
    CHECK(exchange.line("%(h)s %(r)s %(m)s %(U)s %(q)s %(H)s %(f)s %(a)s %({x-id}i)s %({x-out}o)s %(u)s") ==
          "- GET / HT - - - - - - - - -");
    exchange.record.request_line = "";
    CHECK(exchange.line("%(r)s") == "-");

    Exchange empty;
    empty.head.query = "";
    empty.head.fields = {{"Referer", ""}};
    CHECK(empty.line("[%(q)s][%(f)s][%(a)s]") == "[][][-]");
}

TEST_CASE("dates are local, with the zone, and change when they must") {
    Exchange exchange;
    {
        const Zone zone("IST-5:30");
        CHECK(exchange.line("%(t)s") == "[23/Nov/2026:05:35:43 +0530]");
    }
    {
        const Zone zone("NST3:30");
        CHECK(exchange.line("%(t)s") == "[22/Nov/2026:20:35:43 -0330]");
    }
    const Zone zone("UTC");
    AccessFormat format("%(t)s");
    std::string out;
    format.append(out, exchange.record);
    exchange.record.started += 954ms;
    format.append(out, exchange.record);
    exchange.record.started += 1ms;
    format.append(out, exchange.record);
    CHECK(out == "[23/Nov/2026:00:05:43 +0000]\n[23/Nov/2026:00:05:43 +0000]\n[23/Nov/2026:00:05:44 +0000]\n");
}

TEST_CASE("the user is Basic authentication's") {
    CHECK(user_of("Basic QWRhOnNlY3JldA==") == "Ada"); // Ada:secret
    CHECK(user_of("bAsIc   QWRhOnNlY3JldA==") == "Ada");
    CHECK(user_of("Basic QWRh") == "Ada");               // no colon
    CHECK(user_of("Basic QWQ6") == "Ad");                // Ad:
    CHECK(user_of("Basic OnNlY3JldA==") == "-");         // :secret
    CHECK(user_of("Basic QQ0KWA==") == R"(A\x0d\x0aX)"); // "A\r\nX"
    CHECK(user_of("Basic Q!Rh") == "-");
    CHECK(user_of("Basic ") == "-");
    CHECK(user_of("Basic") == "-");
    CHECK(user_of("Bearer QWRhOnNlY3JldA==") == "-");
    CHECK(user_of("") == "-");

    std::string endless = "Basic ";
    for (int i = 0; i < 1000; ++i) endless += "YWFh"; // aaa
    CHECK(user_of(endless) == std::string(256, 'a'));
}

TEST_CASE("variables are WSGI's, then the process's") {
    const Exchange exchange;
    ::setenv("CPPCORN_TEST_VARIABLE", "a\nb", 1);
    CHECK(exchange.line("%({CPPCORN_TEST_VARIABLE}e)s") == R"(a\x0ab)");
    ::unsetenv("CPPCORN_TEST_VARIABLE");
    CHECK(exchange.line("%({CPPCORN_TEST_VARIABLE}e)s") == "-");
    CHECK(exchange.line("%({HTTP_USER_AGENT}e)s") == "curl/8");
    CHECK(exchange.line("%({HTTP_X_ID}e)s") == "7");
    CHECK(exchange.line("%({REQUEST_METHOD}e)s %({QUERY_STRING}e)s") == "GET x=1");
}

TEST_CASE("the request's id, and a traceparent that is one, are atoms") {
    Exchange exchange;
    CHECK(exchange.line("%(i)s %(x)s") == "0123456789abcdef0123 -");
    exchange.record.request_id = "";
    CHECK(exchange.line("%(i)s") == "-");
    const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    exchange.head.fields = {{"TraceParent", trace}};
    CHECK(exchange.line("%(x)s") == trace);
    CHECK_THAT(exchange.line("json"), EndsWith(R"("traceparent":")" + trace + R"("})"));
    exchange.head.fields.push_back({"traceparent", trace});
    CHECK(exchange.line("%(x)s") == "-");
    exchange.head.fields = {{"traceparent", "00-4bf9"}};
    CHECK(exchange.line("%(x)s") == "-");
    exchange.record.head = nullptr;
    CHECK(exchange.line("%(x)s") == "-");
}

TEST_CASE("the time in the queue is an atom") {
    Exchange exchange;
    CHECK(exchange.line("%(Q)s") == "-");
    exchange.record.queue_time = 0us;
    CHECK(exchange.line("%(Q)s") == "0");
    exchange.record.queue_time = 1'500'001us;
    CHECK(exchange.line("%(Q)s") == "1500001");
    CHECK_THAT(exchange.line("json"), Contains(R"("queue_us":1500001,)"));
    CHECK_THAT(exchange.line("logfmt"), Contains(" queue_us=1500001 "));
}

TEST_CASE("nothing from outside reaches a line raw") {
    const std::string evil = "a\r\nb\x1b[31m\"\\\x7f\xff\t";
    Exchange exchange;
    exchange.record.remote_address = evil;
    exchange.record.request_line = evil;
    exchange.head.method = exchange.head.path = exchange.head.query = exchange.head.target = evil;
    exchange.head.fields = {{"Referer", evil}, {"User-Agent", evil}, {"X-Id", evil}};
    exchange.response_fields = {{"X-Out", evil}};
    exchange.record.response_fields = exchange.response_fields;
    const std::string safe = R"(a\x0d\x0ab\x1b[31m\"\\\x7f\xff\x09)";
    for (const char* atom : {"h", "r", "m", "U", "q", "f", "a", "{X-Id}i", "{X-Out}o"}) {
        INFO(atom);
        CHECK(exchange.line("%(" + std::string(atom) + ")s") == safe);
    }
    CHECK_FALSE(has_control_byte(exchange.line("json")));
    CHECK_FALSE(has_control_byte(exchange.line("logfmt")));
}

TEST_CASE("a value is cut where it is too long for a log") {
    Exchange exchange;
    const std::string value(20'000, 'x');
    exchange.head.fields = {{"X-Id", value}};
    CHECK(exchange.line("%({x-id}i)s") == std::string(8192, 'x'));
}

TEST_CASE("a bad format is refused with its place") {
    CHECK_THAT(error_of("%(h)s %(z)s"), StartsWith("bad access log format at character 7: unknown atom %(z)s"));
    CHECK_THAT(error_of("%(z)s"), Contains("hlutrmUqHsBbfaTDMLpiQx"));
    CHECK_THAT(error_of("%(hh)s"), Contains("unknown atom"));
    CHECK_THAT(error_of("%()s"), Contains("unknown atom"));
    CHECK_THAT(error_of("%({x}z)s"), Contains("unknown atom"));
    CHECK_THAT(error_of("%({}i)s"), Contains("unknown atom"));
    CHECK_THAT(error_of("%(h)d"), Contains("must end in )s"));
    CHECK_THAT(error_of("%(h"), Contains("must end in )s"));
    CHECK_THAT(error_of("%h"), Contains("must be followed by"));
    CHECK_THAT(error_of("50%"), Contains("at character 3"));
    CHECK_THAT(error_of("a\nb"), Contains("at character 2: a control character"));
    CHECK(error_of("%(\x1b)s").find('\x1b') == std::string::npos);
    CHECK(Exchange().line("a\tb") == "a\tb");
}

TEST_CASE("response fields are wanted only where a format has them") {
    CHECK(AccessFormat("%(h)s %({x}o)s").wants_response_fields());
    CHECK_FALSE(AccessFormat("%(h)s %({x}i)s").wants_response_fields());
    CHECK_FALSE(AccessFormat("json").wants_response_fields());
}

TEST_CASE("json has one object a line") {
    const Zone zone("IST-5:30"); // its time is UTC anyway
    const std::string pid = std::to_string(::getpid());
    CHECK(Exchange().line("json") ==
          R"({"time":"2026-11-23T00:05:43.045Z","remote":"192.0.2.1","method":"GET","target":"/a%20b?x=1",)"
          R"("protocol":"HTTP/1.1","status":200,"bytes":1234,"duration_us":2034567,"referer":"http://r/",)"
          R"("user_agent":"curl/8","pid":)" +
              pid + R"(,"request_id":"0123456789abcdef0123","queue_us":null,"traceparent":null})");

    Exchange refused;
    refused.record.head = nullptr;
    refused.record.remote_address = "";
    refused.record.request_id = "";
    refused.record.request_line = "GET / HTTP/9";
    refused.record.status = 400;
    CHECK_THAT(refused.line("json"),
               Contains(R"("remote":null,"method":null,"target":null,"protocol":null,"status":400)") &&
                   EndsWith(R"("referer":null,"user_agent":null,"pid":)" + pid +
                            R"(,"request_id":null,"queue_us":null,"traceparent":null,"request_line":"GET / HTTP/9"})"));
}

TEST_CASE("json strings are valid UTF-8 without control characters") {
    const auto agent_of = [](std::string_view agent) {
        Exchange exchange;
        exchange.head.fields = {{"User-Agent", agent}};
        const std::string line = exchange.line("json");
        const std::size_t at = line.find(R"("user_agent":")") + 14;
        return line.substr(at, line.rfind(R"(","pid")") - at);
    };
    CHECK(agent_of("a\"b\\c/") == R"(a\"b\\c/)");
    CHECK(agent_of("a\nb\x1b\x7f") == R"(a\u000ab\u001b\u007f)");
    CHECK(agent_of("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xbd") == "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xbd");
    CHECK(agent_of("\xc2\x9b"
                   "31m") == R"(\u009b31m)"); // C1: CSI
    CHECK(agent_of("\xe2\x80\xa8") == R"(\u2028)");
    CHECK(agent_of("\xff"
                   "a") == R"(\ufffda)");
    CHECK(agent_of("\xc3") == R"(\ufffd)"); // cut short
    CHECK(agent_of("\xc3(") == R"(\ufffd()");
    CHECK(agent_of("\xc0\xaf") == R"(\ufffd\ufffd)");                     // overlong
    CHECK(agent_of("\xe0\x80\xaf") == R"(\ufffd\ufffd\ufffd)");           // overlong
    CHECK(agent_of("\xed\xa0\x80") == R"(\ufffd\ufffd\ufffd)");           // surrogate
    CHECK(agent_of("\xf4\x90\x80\x80") == R"(\ufffd\ufffd\ufffd\ufffd)"); // beyond Unicode
}

TEST_CASE("logfmt quotes what needs it") {
    Exchange exchange;
    exchange.head.fields = {{"User-Agent", "a \"b\""}, {"Referer", ""}};
    CHECK(exchange.line("logfmt") ==
          R"(time=2026-11-23T00:05:43.045Z remote=192.0.2.1 method=GET target="/a%20b?x=1" protocol=HTTP/1.1 )"
          R"(status=200 bytes=1234 duration_us=2034567 referer="" user_agent="a \"b\"" pid=)" +
              std::to_string(::getpid()) + " request_id=0123456789abcdef0123 queue_us=- traceparent=-");
    exchange.head.fields = {{"User-Agent", "\xc3\xa9"}};
    CHECK_THAT(exchange.line("logfmt"), Contains(R"(referer=- user_agent="\xc3\xa9" pid)"));
}
