#include "server/control/status_text.hpp"

#include <stdexcept>

#include "server/status/status_json.hpp"
#include "tests/catch.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn {
namespace {

TEST_CASE("status text: a line for each worker, of what /status.json says") {
    ServiceView view = good_view();
    WorkerView idle;
    idle.slot = 1;
    idle.pid = 4712;
    idle.state = WorkerState::serving;
    idle.age = 90;
    WorkerView busy = idle;
    busy.slot = 12;
    busy.age = 8000;
    busy.requests = 345;
    busy.connections = 6;
    busy.is_busy = true;
    busy.current = ScoreboardSlot::Current{"GET /\x1b[31m HTTP/1.1", "192.0.2.1", "the-id", {}};
    busy.current_age = 2.25;
    busy.usage = ProcessUsage{12'345'678, 1};
    view.workers = {idle, busy};
    ServiceFacts facts;
    facts.name = "shop";
    CHECK(status_text(status_json(view, facts, 0)) ==
          "shop: serving; ready: yes (ok: 2 of 2 workers serve)\n"
          "slot      pid  state          age   requests  conns     memory  request\n"
          "   1     4712  serving     90.0 s          0      0          ?\n"
          "  12     4712  serving        2 h        345      6    12.3 MB  GET /\\x1b[31m HTTP/1.1 from 192.0.2.1, for "
          "2.2 s\n");
}

TEST_CASE("status text: what is no status of ours is told of") {
    for (const auto* text : {"", "{", "[]", "{}", R"({"service": 1})", R"({"service": {"name": []}, "workers": 0})"}) {
        INFO(text);
        CHECK_THROWS_AS(status_text(text), std::runtime_error);
    }
}

} // namespace
} // namespace cppcorn
