#include "workers/http/forwarded.hpp"

#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hpp"
#include "workers/http/header_rules.hpp"
#include "workers/http/mount.hpp"

namespace cppcorn::http {
namespace {

using Fields = std::vector<Field>;

const std::vector<SchemeHeader> usual_headers{
    {"X-FORWARDED-PROTOCOL", "ssl"}, {"X-FORWARDED-PROTO", "https"}, {"X-FORWARDED-SSL", "on"}};
const std::vector<std::string> usual_names{"SCRIPT_NAME", "PATH_INFO"};

ForwardingRules usual_rules() {
    return {usual_headers, ForwarderNames(usual_names)};
}

struct Reading {
    int status;
    ForwardingRules::ForwardedInfo info;
};

Reading read(const Fields& fields, const ForwardingRules& rules = usual_rules()) {
    RequestHead head;
    head.fields = fields;
    ForwardingRules::ForwardedInfo info;
    const int status = rules.read(head, info).status;
    return {status, info};
}

std::vector<std::string> left_by_strip(const std::vector<std::string>& names,
                                       const ForwardingRules& rules = usual_rules()) {
    RequestHead head;
    for (const auto& name : names) head.fields.push_back({name, "x"});
    rules.strip(head);
    std::vector<std::string> left;
    for (const auto& field : head.fields) left.emplace_back(field.name);
    return left;
}

TEST_CASE("a scheme header with its value means https") {
    CHECK(read({{"X-Forwarded-Proto", "https"}}).info.secure);
    CHECK(read({{"x-forwarded-ssl", "on"}}).info.secure);
    CHECK(read({{"X-FORWARDED-PROTOCOL", "ssl"}}).info.secure);
    CHECK_FALSE(read({{"X-Forwarded-Proto", "http"}}).info.secure);
    CHECK_FALSE(read({{"X-Forwarded-Proto", "https, http"}}).info.secure);
    CHECK_FALSE(read({{"X-Forwarded-Protocol", "https"}}).info.secure);
    CHECK_FALSE(read({{"X-Forwarded-Proton", "https"}}).info.secure);
    CHECK_FALSE(read({{"Host", "https"}}).info.secure);
    CHECK_FALSE(read({}).info.secure);
}

TEST_CASE("scheme headers that contradict each other are refused") {
    CHECK(read({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Ssl", "off"}}).status == 400);
    CHECK(read({{"X-Forwarded-Ssl", "off"}, {"X-Forwarded-Proto", "https"}}).status == 400);
    CHECK(read({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}}).status == 400);
    CHECK(read({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Ssl", "on"}}).info.secure);
    CHECK(read({{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Ssl", "off"}}).status == 0);
}

TEST_CASE("SCRIPT_NAME is read if it is among the forwarder headers") {
    CHECK(read({{"SCRIPT_NAME", "/shop"}}).info.script_name == "/shop");
    CHECK(read({{"script_name", "/shop/"}}).info.script_name == "/shop");
    CHECK(read({{"SCRIPT_NAME", "/"}}).info.has_script_name);
    CHECK(read({{"SCRIPT_NAME", "/"}}).info.script_name.empty());
    CHECK_FALSE(read({{"SCRIPT-NAME", "/shop"}}).info.has_script_name);
    CHECK_FALSE(read({{"SCRIPT_NAME", "/shop"}}, {usual_headers, {}}).info.has_script_name);
    CHECK(read({{"SCRIPT_NAME", "/shop"}}, {{}, ForwarderNames({"*"})}).info.script_name == "/shop");
    CHECK(read({{"SCRIPT_NAME", "shop"}}).status == 400);
    CHECK(read({{"SCRIPT_NAME", "/a"}, {"SCRIPT_NAME", "/b"}}).status == 400);
    CHECK(read({{"SCRIPT_NAME", "/a"}, {"SCRIPT_NAME", "/a/"}}).info.script_name == "/a");
}

TEST_CASE("a stranger's forwarding headers are taken out, in each spelling that an app might take for them") {
    using Names = std::vector<std::string>;
    CHECK(left_by_strip({"Host", "X-Forwarded-For", "x-forwarded-proto", "X-FORWARDED-ANYTHING", "Forwarded",
                         "Accept"}) == Names{"Host", "Accept"});
    CHECK(left_by_strip({"X_Forwarded_For", "X-Forwarded_Host", "SCRIPT_NAME", "Script-Name", "PATH_INFO", "path-info"})
              .empty());
    const Names others{"X-Forwarded", "X-Forward-For", "Forwarded-For", "X-Real-IP",
                       "Script",      "Path",          "xforwarded-for"};
    CHECK(left_by_strip(others) == others);
    CHECK(left_by_strip({"Fly-Proto", "User_Name", "A"}, {{{"fly-proto", "https"}}, ForwarderNames({"User_Name"})}) ==
          Names{"A"});
    CHECK(left_by_strip({"A_B", "A-B", "SCRIPT-NAME"}, {{}, ForwarderNames({"*"})}) == Names{"A-B"});
    CHECK(left_by_strip({"SCRIPT-NAME", "X-Forwarded-Proto", "A"}, {{}, {}}) == Names{"A"});
}

TEST_CASE("a name with an underscore is kept for a trusted peer, whatever becomes of others") {
    const ForwarderNames names(usual_names);
    for (const auto underscores : {UnderscoreNames::drop, UnderscoreNames::refuse}) {
        const int refusal = underscores == UnderscoreNames::refuse ? 400 : 0;
        HeaderRules rules(underscores);
        RequestHead head;
        CHECK(rules.add("SCRIPT_NAME: /a", head).status == refusal);
        CHECK(head.fields.empty());
        rules.keep(&names);
        rules.reset();
        CHECK(rules.add("Script_Name: /a", head).status == 0);
        CHECK(rules.add("X_Other: a", head).status == refusal);
        REQUIRE(head.fields.size() == 1);
        CHECK(head.fields[0].name == "Script_Name");
    }
}

TEST_CASE("a mount point is compared as paths are, decoded and without a slash at its end") {
    std::string memory;
    CHECK(decoded_mount("/shop", memory) == "/shop");
    CHECK(decoded_mount("/my%20app", memory) == "/my app");
    CHECK(decoded_mount("/my%2520app", memory) == "/my%20app");
    CHECK(decoded_mount("/shop%2F", memory) == "/shop");
    CHECK(decoded_mount("/100%", memory) == "/100%");
    CHECK(decoded_mount("", memory).empty());
    CHECK(path_below("/my app/cart", decoded_mount("/my%20app", memory)) == "/cart");
}

TEST_CASE("a path below the mount point is told without it") {
    CHECK(path_below("/shop/cart", "/shop") == "/cart");
    CHECK(path_below("/shop/", "/shop") == "/");
    CHECK(path_below("/shop", "/shop").empty());
    CHECK(path_below("/shopping", "/shop") == "/shopping");
    CHECK(path_below("/other", "/shop") == "/other");
    CHECK(path_below("/", "/shop") == "/");
    CHECK(path_below("*", "/shop") == "*");
    CHECK(path_below("/a", "") == "/a");
    CHECK(path_below("/shop/shop", "/shop") == "/shop");
}

} // namespace
} // namespace cppcorn::http
