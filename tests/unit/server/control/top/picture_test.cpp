#include "server/control/top/picture.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/unit/server/control/top/one_status.hpp"

namespace cppcorn::top {
namespace {

std::string text_of(const std::vector<Span>& line) {
    std::string text;
    for (const auto& span : line) text += span.text;
    return text;
}

std::string text_of(const Picture& picture) {
    std::string text;
    for (const auto& line : picture) text += text_of(line) + "\n";
    return text;
}

bool has(const Picture& picture, const std::string& part) {
    return text_of(picture).find(part) != std::string::npos;
}

Session session_with(int workers) {
    ServiceView view = good_view();
    view.busy = 1;
    for (int i = 0; i < workers; ++i) view.workers.push_back(worker_view(i, 1000 + i));
    if (workers > 1) make_busy(view.workers[1], "GET /slow\x1b[2J HTTP/1.1", 12);
    Session session(true);
    session.take(snapshot_of(view));
    return session;
}

TEST_CASE("top: the picture of a service") {
    const Picture picture = picture_of(session_with(2), {12, 160}, at(0));
    REQUIRE(picture.size() == 12);
    CHECK(text_of(picture[0]) == "shop  ready  cppcorn 1.2.3, master 99");
    CHECK(has(picture, "2 of 2 workers serve, 1 busy"));
    CHECK(text_of(picture[4]).find("*SLOT     PID STATE      BUSY REQUEST") == 0);
    CHECK(text_of(picture[5]).find("    0    1000 serving         idle") == 0);
    CHECK(text_of(picture[6]).find("    1    1001 serving     12s GET /slow\\x1b[2J HTTP/1.1") == 0);
    CHECK(text_of(picture[7]).empty());
    CHECK(picture[5].front().style == Style::chosen);
    CHECK(picture[6].front().style == Style::plain);
    CHECK(text_of(picture[11]).find("q quit") == 0);
}

TEST_CASE("top: whatever the size, the picture fits it and is printable") {
    Session session = session_with(30);
    for (const bool has_help : {false, true}) {
        if (has_help) session.press('h');
        for (std::size_t rows = 0; rows < 40; rows += 3) {
            for (std::size_t columns = 0; columns < 200; columns += 7) {
                const Picture picture = picture_of(session, {rows, columns}, at(0));
                REQUIRE(picture.size() == rows);
                for (const auto& line : picture) {
                    const std::string text = text_of(line);
                    REQUIRE(text.size() <= columns);
                    REQUIRE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; }));
                }
            }
        }
    }
}

TEST_CASE("top: the chosen worker is always among the rows") {
    Session session = session_with(50);
    for (int i = 0; i < 50; ++i) {
        for (const std::size_t rows : {8, 9, 15, 24}) {
            const Picture picture = picture_of(session, {rows, 80}, at(0));
            int chosen = 0;
            for (const auto& line : picture) chosen += !line.empty() && line.front().style == Style::chosen ? 1 : 0;
            CHECK(chosen == 1);
            CHECK(has(picture, std::to_string(1000 + i)));
        }
        session.press(key_down);
    }
}

TEST_CASE("top: the column that sorts is marked") {
    Session session = session_with(2);
    session.press('P');
    CHECK(has(picture_of(session, {12, 100}, at(0)), "*P95"));
    session.press('i');
    CHECK(has(picture_of(session, {12, 100}, at(0)), "^P95"));
    CHECK_FALSE(has(picture_of(session, {12, 100}, at(0)), "*SLOT"));
}

TEST_CASE("top: each column that sorts has room for its mark") {
    Session session = session_with(2);
    for (const auto& column : columns()) {
        if (column.key == 0) continue;
        session.press(column.key);
        CHECK(has(picture_of(session, {12, 250}, at(0)), std::string("*") + column.title + " "));
    }
}

TEST_CASE("top: a server that is lost, one that is not ready, a question, a message") {
    Session session = session_with(2);
    session.lost("nobody listens at /run/x: No such file or directory", at(5));
    CHECK(has(picture_of(session, {12, 100}, at(8)), "no answer for 3.0s; trying again: nobody listens at /run/x"));
    CHECK(has(picture_of(session, {12, 100}, at(8)), "GET /slow"));

    ServiceView view = good_view();
    view.state = MasterState::stopping;
    session.take(snapshot_of(view));
    CHECK(has(picture_of(session, {12, 100}, at(8)), readiness(view, {}).reason));

    session.press('s');
    CHECK(has(picture_of(session, {12, 100}, at(8)), "Stop the service? y: yes, else no"));
    session.press('n');
    CHECK(has(picture_of(session, {12, 100}, at(8)), "stop: not done"));
}

TEST_CASE("top: a stack takes the place of the table, and scrolls") {
    Session session = session_with(2);
    std::string stack;
    for (int i = 0; i < 40; ++i) stack += "#" + std::to_string(i) + " frame\n";
    session.done({OrderKind::stack, 1}, stack);
    CHECK(has(picture_of(session, {12, 100}, at(0)), "stack 1"));
    CHECK(has(picture_of(session, {12, 100}, at(0)), "#4 frame"));
    CHECK_FALSE(has(picture_of(session, {12, 100}, at(0)), "#5 frame"));
    CHECK_FALSE(has(picture_of(session, {12, 100}, at(0)), "SLOT"));
    session.press(key_page_down);
    CHECK_FALSE(has(picture_of(session, {12, 100}, at(0)), "#4 frame"));
    CHECK(has(picture_of(session, {12, 100}, at(0)), "#10 frame"));
}

} // namespace
} // namespace cppcorn::top
