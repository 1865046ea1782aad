#include "server/status/page.hpp"

#include "tests/catch.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn {
namespace {

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

WorkerView busy_worker(const std::string& line) {
    WorkerView worker;
    worker.slot = 1;
    worker.pid = 4711;
    worker.state = WorkerState::serving;
    worker.is_busy = true;
    worker.current = ScoreboardSlot::Current{line, "192.0.2.1", "id-0123456789abcdefgh", SteadyTime()};
    worker.current_age = 12;
    return worker;
}

TEST_CASE("page: a worker's row says what it is busy with, and for how long") {
    ServiceView view = good_view();
    view.workers = {busy_worker("GET /slow HTTP/1.1")};
    view.slow = 4;
    const std::string text = page_text(view, {}, {});
    CHECK(has(text, "<td>4711</td>"));
    CHECK(has(text, "12 s</span> <code>GET /slow HTTP/1.1</code>"));
    CHECK(has(text, ">192.0.2.1 id-0123456789abcdefgh</span>"));
    CHECK(has(text, ">ready</strong>"));
    CHECK(has(text, "; slow requests so far: 4</div>"));
}

TEST_CASE("page: what clients, apps and operators wrote is text") {
    const std::string hostile = "</code><script>alert(1)</script>\"'&\xff\x1b";
    ServiceView view = good_view();
    view.workers = {busy_worker("GET /" + hostile)};
    view.workers[0].current->address = view.workers[0].current->id = hostile;
    WorkerEnd end;
    end.how = hostile;
    end.request = hostile;
    end.client = end.request_id = hostile;
    end.report = hostile;
    view.last_ends = {end};
    ServiceFacts facts;
    facts.name = facts.app = facts.build = facts.version = hostile;
    facts.settings = {{hostile, hostile, hostile}};
    const std::string text = page_text(view, {}, facts);
    CHECK_FALSE(has(text, "<script>"));
    CHECK_FALSE(has(text, "alert(1)</script"));
    CHECK_FALSE(has(text, "\x1b"));
    CHECK_FALSE(has(text, "\xff"));
    CHECK(has(text, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    // One script, which is ours.
    CHECK(text.find("<script") == text.rfind("<script"));
}

TEST_CASE("page: an end has its cause, its request and its report") {
    ServiceView view = good_view();
    WorkerEnd end;
    end.time = 1'700'000'000;
    end.pid = 12;
    end.cause = EndCause::crash;
    end.how = "was sent SIGSEGV";
    end.request = "GET /x HTTP/1.1";
    end.request_id = "id-0123456789abcdefgh";
    end.report = "first line\nsecond line";
    view.last_ends = {end};
    const std::string text = page_text(view, {}, {});
    CHECK(has(text, "2023-11-14 22:13:20 <b>crash</b>: worker 12 in slot 0 was sent SIGSEGV, serving <code>GET /x"));
    CHECK(has(text, ", id id-0123456789abcdefgh</summary>"));
    CHECK(has(text, "<pre>first line\nsecond line</pre>"));
}

TEST_CASE("page: of very many workers the first are shown") {
    ServiceView view = good_view();
    view.workers.assign(1000, busy_worker(std::string(170, '<')));
    const std::string text = page_text(view, {}, {});
    CHECK(has(text, "And 800 more."));
    CHECK(text.size() < 600'000);
}

} // namespace
} // namespace cppcorn
