#include "workers/app/app_spec.hpp"

#include <limits>
#include <string>

#include "tests/catch.hpp"

using namespace cppcorn;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

AppArgument argument_of(const std::string& literal) {
    const AppSpec spec = parse_app_spec("m:f(" + literal + ")");
    REQUIRE(spec.arguments.size() == 1);
    return spec.arguments[0];
}

std::string error_of(const std::string& spec) {
    try {
        parse_app_spec(spec);
    } catch (const AppSpecError& error) {
        return error.what();
    }
    FAIL("no error for " << spec);
    return {};
}

} // namespace

TEST_CASE("a spec is a module, perhaps a name, perhaps arguments") {
    const AppSpec plain = parse_app_spec("myapp");
    CHECK(plain.module == "myapp");
    CHECK(plain.name == "app");
    CHECK(plain.call == "app");
    CHECK(plain.arguments.empty());

    const AppSpec named = parse_app_spec("./build/my-app.so:echo_2");
    CHECK(named.module == "./build/my-app.so");
    CHECK(named.name == "echo_2");
    CHECK(named.call == "echo_2");

    const AppSpec called = parse_app_spec("myapp:create( 'Ada' ,\t2,true, null,)");
    CHECK(called.name == "create");
    REQUIRE(called.arguments.size() == 4);
    CHECK(called.arguments[0] == AppArgument("Ada"));
    CHECK(called.arguments[1] == AppArgument(std::int64_t{2}));
    CHECK(called.arguments[2] == AppArgument(true));
    CHECK(called.arguments[3] == AppArgument(std::monostate{}));
    CHECK(called.call == R"(create("Ada", 2, true, null))");

    CHECK(parse_app_spec("myapp:create()").call == "create()");
    CHECK(parse_app_spec("myapp:create( )").arguments.empty());
}

TEST_CASE("the first colon ends the module, also before quoted ones") {
    const AppSpec spec = parse_app_spec("m:f('a:b(c)')");
    CHECK(spec.module == "m");
    CHECK(spec.arguments.at(0) == AppArgument("a:b(c)"));
}

TEST_CASE("words are literals in Python's and in JSON's spelling") {
    CHECK(argument_of("True") == AppArgument(true));
    CHECK(argument_of("False") == AppArgument(false));
    CHECK(argument_of("false") == AppArgument(false));
    CHECK(argument_of("None") == AppArgument(std::monostate{}));
    CHECK_THAT(error_of("m:f(Ada)"), Contains("'Ada' is not a literal; put text in quotes"));
    CHECK_THAT(error_of("m:f(TRUE)"), Contains("'TRUE' is not a literal"));
    CHECK_THAT(error_of("m:f(nan)"), Contains("'nan' is not a literal"));
}

TEST_CASE("integers keep all 64 bits") {
    CHECK(argument_of("0") == AppArgument(std::int64_t{0}));
    CHECK(argument_of("-17") == AppArgument(std::int64_t{-17}));
    CHECK(argument_of("+17") == AppArgument(std::int64_t{17}));
    CHECK(argument_of("010") == AppArgument(std::int64_t{10}));
    CHECK(argument_of("9223372036854775807") == AppArgument(std::numeric_limits<std::int64_t>::max()));
    CHECK(argument_of("-9223372036854775808") == AppArgument(std::numeric_limits<std::int64_t>::min()));
    CHECK_THAT(error_of("m:f(9223372036854775808)"), Contains("'9223372036854775808' is out of range"));
    CHECK_THAT(error_of("m:f(-9223372036854775809)"), Contains("out of range"));
}

TEST_CASE("reals are told from integers by their spelling") {
    CHECK(argument_of("1.5") == AppArgument(1.5));
    CHECK(argument_of("-.25") == AppArgument(-0.25));
    CHECK(argument_of("2.") == AppArgument(2.0));
    CHECK(argument_of("1e3") == AppArgument(1000.0));
    CHECK(argument_of("2.5E-1") == AppArgument(0.25));
    CHECK_THAT(error_of("m:f(1e999)"), Contains("'1e999' is out of range"));
}

TEST_CASE("what only resembles a number is refused") {
    for (const char* text :
         {"-", "+", "+-1", "--1", "1_000", "0x10", "1.2.3", "1e", "-inf", "-nan", ".", "1-2", "12abc"}) {
        INFO(text);
        CHECK_THROWS_AS(parse_app_spec("m:f(" + std::string(text) + ")"), AppSpecError);
    }
}

TEST_CASE("text has the usual escapes") {
    CHECK(argument_of(R"('it\'s "it"')") == AppArgument(R"(it's "it")"));
    CHECK(argument_of(R"("a\"b\\c")") == AppArgument(R"(a"b\c)"));
    CHECK(argument_of(R"('\a\b\f\n\r\t\v')") == AppArgument("\a\b\f\n\r\t\v"));
    CHECK(argument_of(R"('\x41\x7e\xFF')") == AppArgument("A~\xff"));
    CHECK(argument_of(R"('\0a\101\1018')") == AppArgument(std::string("\0aAA8", 5)));
    CHECK(argument_of(R"('\u00e9\u20ac\U0001F33D')") == AppArgument("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xbd"));
    CHECK(argument_of("''") == AppArgument(""));
    for (const char* text : {R"('\q')", R"('\x4')", R"('\xg1')", R"('\x-1')", R"('\400')", R"('\ud800')",
                             R"('\U00110000')", R"('\u12')", R"('\')", R"('abc)", R"("abc')", R"('abc\)"}) {
        INFO(text);
        CHECK_THROWS_AS(parse_app_spec("m:f(" + std::string(text) + ")"), AppSpecError);
        CHECK_THROWS_AS(parse_app_spec("m:f(" + std::string(text)), AppSpecError);
    }
}

TEST_CASE("a bad spec's message names the spec and what is wrong") {
    CHECK(error_of("myapp:") == "bad app spec 'myapp:': the name after ':' is empty; expected MODULE[:NAME[(ARGS)]]");
    CHECK_THAT(error_of(""), StartsWith("bad app spec '': the module is empty"));
    CHECK_THAT(error_of(":app"), Contains("the module is empty"));
    CHECK_THAT(error_of("m:(1)"), Contains("the name after ':' is empty"));
    CHECK(parse_app_spec("/srv/a:b/app.so:create").module == "/srv/a:b/app.so");
    CHECK(parse_app_spec("/srv/a:b/app.so:create").name == "create");
    CHECK(parse_app_spec("c:x/counter").module == "c:x/counter");
    CHECK(parse_app_spec("m:create(\"a:/b\")").module == "m");
    CHECK_THAT(error_of("m:2app"), Contains("'2app' is not a name"));
    CHECK_THAT(error_of("m:a-b"), Contains("'a-b' is not a name"));
    CHECK_THAT(error_of("m::a"), Contains("':a' is not a name"));
    CHECK_THAT(error_of("m:a "), Contains("'a ' is not a name"));
    CHECK_THAT(error_of("m:f(x=1)"), Contains("named arguments (x=) are not supported"));
    CHECK_THAT(error_of("m:f(x = 1)"), Contains("named arguments (x=) are not supported"));
    CHECK_THAT(error_of("m:f("), Contains("')' is missing"));
    CHECK_THAT(error_of("m:f(1"), Contains("')' is missing"));
    CHECK_THAT(error_of("m:f(1,"), Contains("')' is missing"));
    CHECK_THAT(error_of("m:f(1) "), Contains("there is text after ')'"));
    CHECK_THAT(error_of("m:f(1 2)"), Contains("',' or ')' is missing before '2'"));
    CHECK_THAT(error_of("m:f(,)"), Contains("an argument cannot begin with ','"));
    CHECK_THAT(error_of("m:f(1,,2)"), Contains("an argument cannot begin with ','"));
    CHECK_THAT(error_of("m:f([1])"), Contains("an argument cannot begin with '['"));
    CHECK_THAT(error_of(std::string("m\0x", 3)), Contains("zero byte"));
}

TEST_CASE("a message is one short printable line whatever the spec is") {
    const std::string message = error_of("m\n\x1b[31m:" + std::string(4000, 'x') + "-");
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find('\x1b') == std::string::npos);
    CHECK_THAT(message, StartsWith(R"(bad app spec 'm\x0a\x1b[31m:xxx)"));
    CHECK(message.size() < 1000);
}

TEST_CASE("the size of a spec is bounded") {
    CHECK(parse_app_spec(std::string(4096, 'm')).module.size() == 4096);
    CHECK_THAT(error_of(std::string(4097, 'm')), Contains("longer than 4096 characters"));

    std::string arguments = "1";
    for (int i = 1; i < 64; ++i) arguments += ",1";
    CHECK(parse_app_spec("m:f(" + arguments + ",)").arguments.size() == 64);
    CHECK_THAT(error_of("m:f(" + arguments + ",1)"), Contains("more than 64 arguments"));
}

TEST_CASE("the call of a spec is fit for a message") {
    CHECK(parse_app_spec("m:f('a\\n\"', -1, 1.5, None)").call == R"(f("a\x0a\"", -1, 1.5, null))");
}
