#include "server/control/top/session.hpp"

#include "tests/catch.hpp"
#include "tests/unit/server/control/top/one_status.hpp"

namespace cppcorn::top {
namespace {

ServiceView service_of(const std::vector<int>& slots) {
    ServiceView view = good_view();
    view.wanted = slots.size();
    for (const int slot : slots) view.workers.push_back(worker_view(slot, 100 + slot));
    return view;
}

Session session_of(const std::vector<int>& slots) {
    Session session(true);
    session.take(snapshot_of(service_of(slots)));
    return session;
}

int chosen_slot(const Session& session) {
    return session.snapshot()->workers.at(session.chosen_row()).slot;
}

std::string target(const std::optional<Order>& order) {
    return order ? target_of(*order) : "";
}

TEST_CASE("top: keys order what the control socket knows") {
    Session session = session_of({0, 1, 2});
    CHECK(target(session.press('r')) == "/reload");
    CHECK(target(session.press('o')) == "/reopen");
    session.press(key_down);
    CHECK(target(session.press('c')) == "/recycle?slot=1");
    CHECK(target(session.press('t')) == "/stack?slot=1");
    CHECK(session.press('x') == std::nullopt);
    CHECK(session.press(key_resize) == std::nullopt);
    CHECK(session.press(key_none) == std::nullopt);
    CHECK_FALSE(session.has_quit());
    CHECK(session.press('q') == std::nullopt);
    CHECK(session.has_quit());
}

TEST_CASE("top: each key for more workers counts, also before the server has told of the last one") {
    Session session = session_of({0, 1});
    CHECK(target(session.press('+')) == "/scale?workers=3");
    CHECK(target(session.press('+')) == "/scale?workers=4");
    CHECK(target(session.press('-')) == "/scale?workers=3");
    session.take(snapshot_of(service_of({0, 1})));
    CHECK(target(session.press('-')) == "/scale?workers=1");
    CHECK(target(session.press('-')) == "/scale?workers=1"); // the least
}

TEST_CASE("top: what ends the service is asked for twice") {
    for (const auto& [key, expected] : {std::pair('s', "/stop"), std::pair('d', "/drain")}) {
        Session session = session_of({0});
        CHECK(session.press(key) == std::nullopt);
        CHECK_FALSE(session.question().empty());
        CHECK(session.press(key_none) == std::nullopt);
        CHECK_FALSE(session.question().empty());
        CHECK(session.press(key) == std::nullopt); // not a yes
        CHECK(session.question().empty());
        CHECK(session.message().text.find("not done") != std::string::npos);
        CHECK(session.press('y') == std::nullopt); // too late
        session.press(key);
        CHECK(target(session.press('y')) == expected);
        CHECK(session.question().empty());
    }
}

TEST_CASE("top: where no orders are taken, keys say so") {
    Session session(false);
    session.take(snapshot_of(service_of({0})));
    for (const char key : {'r', 'c', 't', '+', '-', 's', 'd', 'o'}) {
        CHECK(session.press(key) == std::nullopt);
        CHECK(session.message().tone == Session::Tone::bad);
        CHECK(session.question().empty());
    }
}

TEST_CASE("top: a worker stays chosen while rows move") {
    Session session = session_of({0, 1, 2, 3});
    CHECK(chosen_slot(session) == 0);
    session.press(key_up);
    CHECK(chosen_slot(session) == 0);
    session.press(key_down);
    session.press(key_down);
    CHECK(chosen_slot(session) == 2);
    session.take(snapshot_of(service_of({0, 2, 3})));
    CHECK(chosen_slot(session) == 2);
    CHECK(session.chosen_row() == 1);
    session.press(key_end);
    CHECK(chosen_slot(session) == 3);
    session.press(key_home);
    CHECK(chosen_slot(session) == 0);
    session.press(key_page_down);
    CHECK(chosen_slot(session) == 3);
}

TEST_CASE("top: whoever sorts has chosen the one that comes first, and keeps it") {
    Session session = session_of({0, 1, 2, 3});
    ServiceView view = service_of({0, 1, 2, 3});
    make_busy(view.workers[2], "GET / HTTP/1.1", 3);
    session.take(snapshot_of(view));
    session.press('B');
    CHECK(chosen_slot(session) == 2);
    make_busy(view.workers[3], "GET / HTTP/1.1", 5);
    session.take(snapshot_of(view));
    CHECK(session.snapshot()->workers[0].slot == 3);
    CHECK(chosen_slot(session) == 2);
    session.press('i');
    CHECK(chosen_slot(session) == 1);
}

TEST_CASE("top: when the chosen worker goes, the one in its row is chosen") {
    Session session = session_of({0, 1, 2, 3});
    session.press(key_down);
    session.press(key_down);
    session.take(snapshot_of(service_of({0, 1, 3})));
    CHECK(chosen_slot(session) == 3);
    session.take(snapshot_of(service_of({0})));
    CHECK(chosen_slot(session) == 0);
    session.take(snapshot_of(service_of({})));
    CHECK(session.press('c') == std::nullopt);
    CHECK(session.message().text == "there is no worker");
    session.press(key_down);
    session.take(snapshot_of(service_of({5})));
    CHECK(chosen_slot(session) == 5);
}

TEST_CASE("top: a stack is shown until a key closes it") {
    Session session = session_of({0});
    const auto order = session.press('t');
    session.began(*order);
    CHECK(session.message().text == "stack 0 ...");
    session.done(*order, "#0 f\x1b[m at x.cpp:1\n\t#1 g\n\n… 3 frames");
    CHECK(session.view() == Session::View::stack);
    CHECK(session.lines() == std::vector<std::string>{"#0 f\\x1b[m at x.cpp:1", "    #1 g", "", "... 3 frames"});
    CHECK(session.message().text.empty());
    session.press(key_down);
    CHECK(session.first_line() == 1);
    session.press(key_end);
    session.press(key_down);
    CHECK(session.first_line() == 3);
    session.press(key_up);
    session.press(key_home);
    CHECK(session.first_line() == 0);
    CHECK(session.press('r') == std::nullopt); // keys that order do so at the table
    CHECK(session.view() == Session::View::stack);
    session.press('q');
    CHECK(session.view() == Session::View::table);
    CHECK_FALSE(session.has_quit());
}

TEST_CASE("top: help lists each key") {
    Session session = session_of({0});
    session.press('h');
    CHECK(session.view() == Session::View::help);
    std::string all;
    for (const auto& line : session.lines()) all += line + "\n";
    for (const char* const part : {"c  recycle", "s  stop", "+, -", "B  BUSY", "q  quit"}) {
        INFO(part);
        CHECK(all.find(part) != std::string::npos);
    }
    session.press(key_escape);
    CHECK(session.view() == Session::View::table);
}

TEST_CASE("top: the outcome of an order is one printable line") {
    Session session = session_of({0});
    const Order order{OrderKind::reload};
    session.done(order, "");
    CHECK(session.message().text == "reload: done");
    CHECK(session.message().tone == Session::Tone::good);
    session.done(order, "Reloaded \x1b\nmore");
    CHECK(session.message().text == "Reloaded \\x1b");
    session.failed(order, "not now\nmore");
    CHECK(session.message().text == "reload: not now");
    CHECK(session.message().tone == Session::Tone::bad);
    CHECK(session.view() == Session::View::table);
    session.press(key_down);
    CHECK(session.message().text.empty());
}

TEST_CASE("top: a server that is lost is lost until it answers again") {
    Session session = session_of({0});
    session.lost("nobody\nlistens", at(10));
    session.lost("nobody listens", at(11));
    CHECK(session.lost_why() == "nobody listens");
    CHECK(session.lost_since() == at(10));
    CHECK(session.snapshot());
    session.take(snapshot_of(service_of({0})));
    CHECK(session.lost_why().empty());
    session.lost("again", at(20));
    CHECK(session.lost_since() == at(20));
}

} // namespace
} // namespace cppcorn::top
