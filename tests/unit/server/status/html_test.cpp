#include "server/status/html.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

TEST_CASE("html: nothing that is markup is left") {
    CHECK(html("<script>alert(\"x\")</script> & 'y'") ==
          "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;");
    CHECK(html("&lt;") == "&amp;lt;");
    CHECK(html("two\nlines") == "two\nlines");
    CHECK(html("caf\xc3\xa9") == "caf\xc3\xa9");
    CHECK(html(std::string_view("a\0b\x1b[31m\xff", 9)).find_first_of(std::string("\0\x1b\xff", 3)) ==
          std::string::npos);
}

TEST_CASE("html: each byte of a client's line is plain or spelled out") {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string safe = html_line(std::string(1, static_cast<char>(byte)));
        for (const char c : safe) {
            CHECK((c >= 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"' && c != '\''));
        }
    }
    CHECK(html_line("GET /<b>\xe2\x80\xae HTTP/1.1") == "GET /&lt;b&gt;\\xe2\\x80\\xae HTTP/1.1");
}

} // namespace
} // namespace cppcorn
