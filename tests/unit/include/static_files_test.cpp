// static_files.hpp: its pure parts as tables, and what serve_file() makes of a request.
#include <cppcorn/app.hpp>
#include <cppcorn/static_files.hpp>
#include <sys/stat.h>

#include "tests/catch.hpp"
#include "tests/unit/include/app_kit_host.hpp"
#include "tests/unit/temporary_folder.hpp"

using namespace cppcorn;
using app_kit_test::Exchange;
using app_kit_test::LoadedApp;
using app_kit_test::Pairs;

namespace {

constexpr std::time_t in_1994 = 784'111'777;   // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::time_t in_2026 = 1'795'000'000; // Wed, 18 Nov 2026 13:46:40 GMT

std::optional<std::time_t> date(std::string_view text, std::time_t now = in_2026) {
    return detail::read_http_date(text, now);
}

} // namespace

TEST_CASE("static files: the three forms of a date", "[static_files]") {
    CHECK(date("Sun, 06 Nov 1994 08:49:37 GMT") == in_1994);
    CHECK(date("Sunday, 06-Nov-94 08:49:37 GMT") == in_1994);
    CHECK(date("Sun Nov  6 08:49:37 1994") == in_1994);
    CHECK(date("Sun Nov 06 08:49:37 1994") == in_1994);
    CHECK(date("Wed Nov 16 08:49:37 1994") == in_1994 + 10 * 24 * 60 * 60);
    CHECK(date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
    CHECK(date("Wed, 31 Dec 1969 23:59:59 GMT") == -1);
    CHECK(date("Fri, 31 Dec 9999 23:59:59 GMT") == detail::latest_http_date);
    CHECK(date("Tue, 29 Feb 2000 00:00:00 GMT") == 951'782'400);
    CHECK(date("Sat, 31 Dec 2016 23:59:60 GMT") == 1'483'228'800); // a leap second
}

TEST_CASE("static files: what is no date", "[static_files]") {
    for (const std::string_view text : {
             "",
             "yesterday",
             "Sun, 06 Nov 1994 08:49:37 GMT junk",
             "Sun, 06 Nov 1994 08:49:37 GMT ",
             " Sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 1994 08:49:37",
             "Sun, 06 Nov 1994 08:49:37 UTC",
             "Sun, 06 Nov 1994 08:49:37 +0000",
             "sun, 06 nov 1994 08:49:37 gmt",
             "Sun, 6 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 94 08:49:37 GMT",
             "Sun, 31 Feb 1994 08:49:37 GMT",
             "Sun, 29 Feb 1900 08:49:37 GMT",
             "Sun, 00 Nov 1994 08:49:37 GMT",
             "Sun, 06 Nov 0000 08:49:37 GMT",
             "Sun, 06 Nov 1994 24:00:00 GMT",
             "Sun, 06 Nov 1994 08:60:00 GMT",
             "Sun, 06 Nov 1994 08:49:61 GMT",
             "Sun, -6 Nov 1994 08:49:37 GMT",
             "Sun, 06-Nov-94 08:49:37 GMT",
             "Sunday, 06-Nov-1994 08:49:37 GMT",
             "Sunday, 06-Nov-94 08:49:37 GMT junk",
             "Sunday, 29-Feb-93 08:49:37 GMT",
             "Sun Nov 6 08:49:37 1994",
             "Sun Nov  6 08:49:37 1994 GMT",
             "Sun Nov  6 08:49:37 94",
             "Xyz, 06 Nov 1994 08:49:37 GMT",
             "784111777",
         }) {
        CAPTURE(text);
        CHECK_FALSE(date(text).has_value());
    }
}

TEST_CASE("static files: a year of two digits is never more than 50 years ahead", "[static_files]") {
    const auto year_of = [](std::string_view digits, std::time_t now) {
        const auto time = date("Sunday, 01-Jan-" + std::string(digits) + " 00:00:00 GMT", now);
        return detail::write_http_date(time.value()).substr(12, 4);
    };
    CHECK(year_of("70", in_2026) == "2070");
    CHECK(year_of("76", in_2026) == "2076");
    CHECK(year_of("77", in_2026) == "1977");
    CHECK(year_of("99", in_2026) == "1999");
    CHECK(year_of("26", in_2026) == "2026");
    CHECK(year_of("00", in_2026) == "2000");
    CHECK(year_of("94", in_1994) == "1994");
    CHECK(year_of("44", in_1994) == "2044");
    CHECK(date("Saturday, 29-Feb-92 00:00:00 GMT") == 699'321'600);
    CHECK_FALSE(date("Saturday, 29-Feb-26 00:00:00 GMT").has_value());
}

TEST_CASE("static files: dates are written and read back", "[static_files]") {
    CHECK(detail::write_http_date(in_1994) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(detail::write_http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(detail::write_http_date(detail::latest_http_date) == "Fri, 31 Dec 9999 23:59:59 GMT");
    CHECK(detail::write_http_date(-1).empty());
    CHECK(detail::write_http_date(detail::latest_http_date + 1).empty());
    for (std::time_t time = 3; time < detail::latest_http_date; time += 86'399LL * 97 + 31) {
        char expected[40];
        std::tm parts{};
        ::gmtime_r(&time, &parts);
        REQUIRE(std::strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0);
        REQUIRE(detail::write_http_date(time) == expected);
        REQUIRE(date(expected) == time);
    }
}

TEST_CASE("static files: entity tags in lists", "[static_files]") {
    using detail::covers_tag;
    constexpr auto strong = detail::TagComparison::strong;
    constexpr auto weak = detail::TagComparison::weak;
    struct Row {
        std::string_view list, tag;
        bool strongly, weakly;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"\"a\"", "\"a\"", true, true},
             {"\"a\"", "\"b\"", false, false},
             {"W/\"a\"", "\"a\"", false, true},
             {"\"a\"", "W/\"a\"", false, true},
             {"W/\"a\"", "W/\"a\"", false, true},
             {"w/\"a\"", "\"a\"", false, false},
             {"*", "\"a\"", true, true},
             {" * ", "\"a\"", true, true},
             {"\"b\", *", "\"a\"", false, false},
             {"\"x\", \"a\"", "\"a\"", true, true},
             {"\"x\",\"a\",\"y\"", "\"a\"", true, true},
             {",, \"x\" ,\t\"a\" ,", "\"a\"", true, true},
             {"\"x, \"a\"\"", "\"a\"", false, false},
             {"\"a,b\"", "\"a,b\"", true, true},
             {"\"a,b\"", "\"b\"", false, false},
             {"\"q\", \"a,b\", W/\"c\"", "\"a,b\"", true, true},
             {"a", "\"a\"", false, false},
             {"\"a", "\"a\"", false, false},
             {"\"a\" junk", "\"a\"", false, false},
             {"\"a b\"", "\"a b\"", false, false},
             {"junk, \"a\"", "\"a\"", true, true},
             {"\"\"", "\"\"", true, true},
             {"", "\"a\"", false, false},
         }) {
        CAPTURE(row.list, row.tag);
        CHECK(covers_tag(row.list, row.tag, strong) == row.strongly);
        CHECK(covers_tag(row.list, row.tag, weak) == row.weakly);
    }
}

TEST_CASE("static files: which bytes a range means", "[static_files]") {
    using detail::RangeChoice;
    constexpr RangeChoice whole{};
    constexpr RangeChoice unsatisfiable{RangeChoice::Kind::unsatisfiable, {}};
    const auto part = [](std::int64_t first, std::int64_t last) {
        return RangeChoice{RangeChoice::Kind::part, {first, last}};
    };
    struct Row {
        std::string_view value;
        std::int64_t size;
        RangeChoice expected;
    };
    for (const Row& row : std::initializer_list<Row>{
             {"bytes=0-0", 10, part(0, 0)},
             {"bytes=2-5", 10, part(2, 5)},
             {"BYTES=2-5", 10, part(2, 5)},
             {"bytes=9-", 10, part(9, 9)},
             {"bytes=0-", 10, part(0, 9)},
             {"bytes=5-100", 10, part(5, 9)},
             {"bytes=-3", 10, part(7, 9)},
             {"bytes=-100", 10, part(0, 9)},
             {"bytes=0-99999999999999999999999", 10, part(0, 9)},
             {"bytes=-99999999999999999999999", 10, part(0, 9)},
             {"bytes= 2-5 ", 10, part(2, 5)},
             {"bytes=,2-5,", 10, part(2, 5)},
             // Nothing of it is there.
             {"bytes=10-", 10, unsatisfiable},
             {"bytes=10-20", 10, unsatisfiable},
             {"bytes=99999999999999999999999-", 10, unsatisfiable},
             {"bytes=-0", 10, unsatisfiable},
             {"bytes=0-", 0, unsatisfiable},
             {"bytes=-0", 0, unsatisfiable},
             {"bytes=10-11, 20-30", 10, unsatisfiable},
             // No answer could name a range of nothing.
             {"bytes=-5", 0, whole},
             // Several.
             {"bytes=0-1, 20-30", 10, part(0, 1)},
             {"bytes=0-3, 2-5", 10, part(0, 5)},
             {"bytes=0-3,4-5", 10, part(0, 5)},
             {"bytes=4-5,0-3", 10, part(0, 5)},
             {"bytes=0-8,2-3,-2", 10, part(0, 9)},
             {"bytes=0-1,3-4", 10, whole},
             {"bytes=0-0,-1", 10, whole},
             // What is malformed, or of another kind, does not count.
             {"bytes=5-2", 10, whole},
             {"bytes=0-1,5-2", 10, whole},
             {"bytes=", 10, whole},
             {"bytes=,", 10, whole},
             {"bytes=-", 10, whole},
             {"bytes=a-b", 10, whole},
             {"bytes=1-b", 10, whole},
             {"bytes=+1-2", 10, whole},
             {"bytes=0x1-2", 10, whole},
             {"bytes=1", 10, whole},
             {"bytes=1-2-3", 10, whole},
             {"bytes=1 -2", 10, whole},
             {"bytes =1-2", 10, whole},
             {"bytes=0-1, bytes=2-3", 10, whole},
             {"lines=0-1", 10, whole},
             {"0-1", 10, whole},
             {"", 10, whole},
         }) {
        CAPTURE(row.value, row.size);
        const RangeChoice choice = detail::choose_range(row.value, row.size);
        CHECK(choice == row.expected);
    }
}

namespace {

constexpr const char* at_change = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* before = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* after = "Sun, 06 Nov 1994 08:49:38 GMT";

detail::Precondition checked(const Pairs& fields, std::optional<std::time_t> modified = in_1994,
                             std::string_view tag = "\"v1\"") {
    return detail::check_preconditions(detail::Conditions::read(fields), {tag, modified}, in_2026);
}

} // namespace

TEST_CASE("static files: preconditions, in the order of RFC 9110", "[static_files]") {
    using enum detail::Precondition;
    struct Row {
        Pairs fields;
        detail::Precondition expected;
    };
    for (const Row& row : std::initializer_list<Row>{
             {{}, holds},
             {{{"If-Match", "\"v1\""}}, holds},
             {{{"If-Match", "*"}}, holds},
             {{{"If-Match", "\"v2\""}}, failed},
             {{{"If-Match", "W/\"v1\""}}, failed},
             {{{"If-Match", "\"v2\", \"v1\""}}, holds},
             {{{"If-Match", "\"v2\""}, {"if-match", "\"v1\""}}, holds},
             {{{"If-Match", "junk"}}, failed},
             {{{"If-Match", ""}}, failed},
             {{{"If-Unmodified-Since", at_change}}, holds},
             {{{"If-Unmodified-Since", after}}, holds},
             {{{"If-Unmodified-Since", before}}, failed},
             {{{"If-Unmodified-Since", "Sunday, 06-Nov-94 08:49:36 GMT"}}, failed},
             {{{"If-Unmodified-Since", "Sun Nov  6 08:49:36 1994"}}, failed},
             {{{"If-Unmodified-Since", std::string(before) + "; junk"}}, holds},
             {{{"If-Unmodified-Since", before}, {"If-Unmodified-Since", before}}, holds},
             {{{"If-Match", "\"v1\""}, {"If-Unmodified-Since", before}}, holds}, // the tag decides
             {{{"If-None-Match", "\"v1\""}}, not_modified},
             {{{"If-None-Match", "W/\"v1\""}}, not_modified},
             {{{"If-None-Match", "*"}}, not_modified},
             {{{"If-None-Match", "\"v2\""}}, holds},
             {{{"If-None-Match", "\"v2\""}, {"If-None-Match", "\"v1\""}}, not_modified},
             {{{"If-None-Match", "junk"}}, holds},
             {{{"If-Modified-Since", at_change}}, not_modified},
             {{{"If-Modified-Since", after}}, not_modified},
             {{{"If-Modified-Since", before}}, holds},
             {{{"If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT"}}, not_modified},
             {{{"If-Modified-Since", "Sun Nov  6 08:49:37 1994"}}, not_modified},
             {{{"If-Modified-Since", std::string(at_change) + "; length=5"}}, holds},
             {{{"If-Modified-Since", at_change}, {"If-Modified-Since", at_change}}, holds},
             // The tag decides, whichever way, and so does one that cannot be read.
             {{{"If-None-Match", "\"v2\""}, {"If-Modified-Since", at_change}}, holds},
             {{{"If-None-Match", "\"v1\""}, {"If-Modified-Since", before}}, not_modified},
             {{{"If-None-Match", "junk"}, {"If-Modified-Since", at_change}}, holds},
             // First the one kind, then the other.
             {{{"If-None-Match", "\"v1\""}, {"If-Match", "\"v2\""}}, failed},
             {{{"If-None-Match", "\"v1\""}, {"If-Match", "\"v1\""}}, not_modified},
             {{{"If-Modified-Since", at_change}, {"If-Unmodified-Since", before}}, failed},
             {{{"If-Modified-Since", at_change}, {"If-Unmodified-Since", at_change}}, not_modified},
         }) {
        CAPTURE(row.fields);
        CHECK(checked(row.fields) == row.expected);
    }
    // Without a date of its own, dates are nothing to it.
    CHECK(checked({{"If-Unmodified-Since", before}}, std::nullopt) == holds);
    CHECK(checked({{"If-Modified-Since", after}}, std::nullopt) == holds);
}

TEST_CASE("static files: If-Range takes strong tags and exact dates", "[static_files]") {
    const auto same = [](std::string value, std::string_view tag = "\"v1\"") {
        return detail::is_same_representation(std::optional(std::move(value)), {tag, in_1994}, in_2026);
    };
    CHECK(detail::is_same_representation(std::nullopt, {"\"v1\"", in_1994}, in_2026));
    CHECK(same("\"v1\""));
    CHECK_FALSE(same("\"v2\""));
    CHECK_FALSE(same("W/\"v1\""));
    CHECK_FALSE(same("W/\"v1\"", "W/\"v1\""));
    CHECK_FALSE(same("\"v1\", \"v1\""));
    CHECK_FALSE(same("*"));
    CHECK_FALSE(same(""));
    CHECK(same(at_change));
    CHECK(same("Sun Nov  6 08:49:37 1994"));
    CHECK_FALSE(same(after));
    CHECK_FALSE(same(before));
    CHECK_FALSE(same(std::string(at_change) + " junk"));
}

TEST_CASE("static files: types and locations", "[static_files]") {
    CHECK(detail::content_type_of("/a/b.html") == "text/html; charset=utf-8");
    CHECK(detail::content_type_of("PHOTO.JPG") == "image/jpeg");
    CHECK(detail::content_type_of("a.tar.gz") == "application/gzip");
    CHECK(detail::content_type_of("/a.html/b") == "application/octet-stream");
    CHECK(detail::content_type_of("b.") == "application/octet-stream");
    CHECK(detail::encoded_path("/a/b") == "/a/b");
    CHECK(detail::encoded_path("//evil.example/x") == "/evil.example/x");
    CHECK(detail::encoded_path("/\\evil") == "/%5Cevil");
    CHECK(detail::encoded_path("/a b?\r\n\xe4#%") == "/a%20b%3F%0D%0A%E4%23%25");
    CHECK(detail::encoded_path("") == "/");
}

namespace {

const std::string& digits_path() {
    static const TemporaryFolder folder;
    static const std::string path = [] {
        std::string written = folder.write("digits.txt", "0123456789");
        const std::timespec times[2]{{in_1994, 5}, {in_1994, 5}};
        ::utimensat(AT_FDCWD, written.c_str(), times, 0);
        return written;
    }();
    return path;
}

Response digits(Request& request) {
    if (request.path() == "/own") return serve_file(request, digits_path(), {"text/x-own", "\"own\""});
    if (request.path() == "/part") return serve_file(request, File(digits_path(), 2, 5));
    if (request.path() == "/none") return serve_file(request, "/nowhere/at/all");
    return serve_file(request, digits_path());
}
CPPCORN_APP(digits)

Exchange ask(Pairs fields, std::string method = "GET", std::string path = "/") {
    Exchange exchange;
    exchange.method = std::move(method);
    exchange.path = std::move(path);
    exchange.fields = std::move(fields);
    LoadedApp(cppcorn_app_digits).serve(exchange);
    return exchange;
}

} // namespace

TEST_CASE("static files: what serve_file answers", "[static_files]") {
    const Exchange whole = ask({});
    CHECK(whole.status == 200);
    CHECK(whole.response_body == "0123456789");
    CHECK(whole.response_fields == Pairs{{"ETag", "\"2ebc98a1.5-a\""},
                                         {"Last-Modified", at_change},
                                         {"Content-Type", "text/plain; charset=utf-8"},
                                         {"Accept-Ranges", "bytes"},
                                         {"Content-Length", "10"}});
    const std::string tag = whole.field("ETag");

    const Exchange part = ask({{"Range", "bytes=2-4"}, {"If-Range", tag}});
    CHECK(part.status == 206);
    CHECK(part.response_body == "234");
    CHECK(part.field("Content-Range") == "bytes 2-4/10");
    CHECK(part.field("Content-Length") == "3");
    CHECK(part.field("ETag") == tag);

    const Exchange unknown = ask({{"If-None-Match", "W/" + tag}});
    CHECK(unknown.status == 304);
    CHECK(unknown.response_fields == Pairs{{"ETag", tag}, {"Last-Modified", at_change}});

    const Exchange outside = ask({{"Range", "bytes=10-"}});
    CHECK(outside.status == 416);
    CHECK(outside.field("Content-Range") == "bytes */10");

    CHECK(ask({{"If-Match", "\"other\""}}).status == 412);
    CHECK(ask({{"Range", "bytes=10-"}, {"If-None-Match", tag}}).status == 304);
    CHECK(ask({{"Range", "bytes=2-4"}, {"If-Range", "\"other\""}}).status == 200);
    CHECK(ask({{"Range", "bytes=2-4"}}, "HEAD").status == 200);
    CHECK(ask({{"If-Range", "\"other\""}}).status == 200);
    CHECK(ask({}, "HEAD").response_fields == whole.response_fields);
    CHECK(ask({}, "HEAD").response_body.empty());
}

TEST_CASE("static files: methods, options, parts", "[static_files]") {
    for (const char* const method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
        CHECK(ask({}, method).status == 405);
        CHECK(ask({}, method).field("Allow") == "GET, HEAD");
    }
    CHECK(ask({}, "GET", "/none").status == 404);
    CHECK(ask({}, "POST", "/none").status == 405);
    const Exchange own = ask({{"If-None-Match", "\"own\""}}, "GET", "/own");
    CHECK(own.status == 304);
    CHECK(ask({}, "GET", "/own").field("Content-Type") == "text/x-own");
    const Exchange part = ask({{"Range", "bytes=-2"}}, "GET", "/part");
    CHECK(part.response_body == "56");
    CHECK(part.field("Content-Range") == "bytes 3-4/5");
    CHECK(part.field("ETag") != ask({}).field("ETag"));
}
