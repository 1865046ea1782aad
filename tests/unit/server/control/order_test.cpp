#include "server/control/order.hpp"

#include <cstring>

#include "base/log/log_level.hpp"
#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using Words = std::vector<std::string>;

std::string refusal(const Words& words) {
    try {
        parse_order_words(words);
    } catch (const OrderError& error) {
        return error.what();
    }
    return "";
}

std::string refusal(std::string_view path, std::string_view query) {
    try {
        parse_order_target(path, query);
    } catch (const OrderError& error) {
        return error.what();
    }
    return "";
}

TEST_CASE("orders: each is the same as words, as a target and as a message") {
    const std::vector<std::pair<Words, std::string>> all{
        {{"reload"}, "/reload"},
        {{"reload", "--wait-old"}, "/reload?wait=old"},
        {{"scale", "4"}, "/scale?workers=4"},
        {{"stop"}, "/stop"},
        {{"reopen"}, "/reopen"},
        {{"recycle", "0"}, "/recycle?slot=0"},
        {{"stack", "1023"}, "/stack?slot=1023"},
        {{"log-level", "debug"}, "/log-level?level=debug"},
        {{"drain"}, "/drain"},
    };
    for (const auto& [words, target] : all) {
        INFO(target);
        const auto order = parse_order_words(words);
        REQUIRE(order);
        CHECK(target_of(*order) == target);
        const auto question = target.find('?');
        const std::string query = question == std::string::npos ? "" : target.substr(question + 1);
        CHECK(parse_order_target(target.substr(0, question), query) == order);
        const auto received = unpack_order(pack_order({17, *order}));
        REQUIRE(received);
        CHECK(received->number == 17);
        CHECK(received->order == *order);
    }
    CHECK(text_of({OrderKind::scale, 4}) == "scale 4");
    CHECK(text_of({OrderKind::log_level, static_cast<std::int64_t>(LogLevel::error)}) == "log-level error");
    CHECK(text_of({OrderKind::reload, 1}) == "reload --wait-old");
    CHECK(text_of({OrderKind::stop, 0}) == "stop");
}

TEST_CASE("orders: what is none of them is somebody else's") {
    CHECK_FALSE(parse_order_words({}));
    CHECK_FALSE(parse_order_words({"status"}));
    CHECK_FALSE(parse_order_words({"RELOAD"}));
    CHECK_FALSE(parse_order_target("", ""));
    CHECK_FALSE(parse_order_target("/", ""));
    CHECK_FALSE(parse_order_target("/reload/", ""));
    CHECK_FALSE(parse_order_target("//reload", ""));
    CHECK_FALSE(parse_order_target("*reload", ""));
    CHECK_FALSE(parse_order_target("\nreload", ""));
}

TEST_CASE("orders: arguments are bounded, and no more than one") {
    CHECK(refusal({"scale"}) == "usage: scale N");
    CHECK(refusal({"scale", "1", "2"}) == "usage: scale N");
    CHECK(refusal({"stop", "now"}) == "usage: stop");
    CHECK(refusal({"reload", "--wait"}) == "usage: reload [--wait-old]");
    for (const auto* text : {"0", "513", "-1", "+1", "1.5", "1 ", " 1", "", "99999999999999999999", "1e2"}) {
        INFO(text);
        CHECK(refusal({"scale", text}).find("is no number from 1 to 500") != std::string::npos);
    }
    CHECK(refusal({"scale", "\n\x1b"}) == R"(scale: '\x0a\x1b' is no number from 1 to 500)");
    CHECK(refusal({"stack", "1024"}) == "stack: '1024' is no number from 0 to 1023");
    CHECK(refusal({"log-level", "DEBUG"}) ==
          "log-level: 'DEBUG' is no level; there are debug, info, warning, error, critical");
}

TEST_CASE("orders: a target has its own parameter and no other") {
    CHECK(refusal("/scale", "") == "it is POST /scale?workers=…");
    CHECK(refusal("/scale", "slot=1") == "it is POST /scale?workers=…");
    CHECK(refusal("/scale", "workers=") == "it is POST /scale?workers=…");
    CHECK(refusal("/scale", "workers=1&workers=2").find("is no number") != std::string::npos);
    CHECK(refusal("/stop", "now") == "it is POST /stop");
    CHECK(refusal("/stop", "=") == "it is POST /stop");
    CHECK(refusal("/reload", "wait=new") == "it is POST /reload?wait=…");
}

TEST_CASE("orders: no other message is one") {
    const std::string good = pack_order({5, {OrderKind::scale, 4}});
    const auto with = [&](std::size_t offset, auto value) {
        std::string bytes = good;
        std::memcpy(bytes.data() + offset, &value, sizeof value);
        return unpack_order(bytes);
    };
    CHECK(unpack_order(good));
    CHECK_FALSE(unpack_order(""));
    CHECK_FALSE(unpack_order(good.substr(1)));
    CHECK_FALSE(unpack_order(good + "x"));
    CHECK_FALSE(with(offsetof(OrderMessage, version), std::uint32_t{2}));
    CHECK_FALSE(with(offsetof(OrderMessage, kind), std::uint32_t{0}));
    CHECK_FALSE(with(offsetof(OrderMessage, kind), std::uint32_t{9}));
    CHECK_FALSE(with(offsetof(OrderMessage, number), std::uint64_t{0}));
    CHECK_FALSE(with(offsetof(OrderMessage, argument), std::int64_t{0}));
    CHECK_FALSE(with(offsetof(OrderMessage, argument), std::int64_t{501}));
    CHECK_FALSE(with(offsetof(OrderMessage, argument), std::int64_t{-1}));
    CHECK(with(offsetof(OrderMessage, argument), std::int64_t{500}));
}

} // namespace
} // namespace cppcorn
