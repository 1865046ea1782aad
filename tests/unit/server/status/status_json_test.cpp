#include "server/status/status_json.hpp"

#include <nlohmann/json.hpp>

#include "tests/catch.hpp"
#include "tests/unit/server/status/one_view.hpp"

namespace cppcorn {
namespace {

using Json = nlohmann::json;

TEST_CASE("status.json: what there is") {
    ServiceView view = good_view();
    WorkerView worker;
    worker.slot = 3;
    worker.pid = 42;
    worker.state = WorkerState::serving;
    worker.is_busy = true;
    worker.current = ScoreboardSlot::Current{"GET /x HTTP/1.1", "192.0.2.1", "id-0123456789abcdefgh", SteadyTime()};
    worker.current_age = 1.5;
    worker.usage = ProcessUsage{1024, 2.5};
    view.workers = {worker, WorkerView()};
    view.queues = {{"127.0.0.1:8000", 1, 2048}};
    view.slow = 3;
    ServiceFacts facts;
    facts.settings = {{"env", "SECRET=***", "command line"}};
    const Json json = Json::parse(status_json(view, facts, 1000));
    CHECK(json["version"] == 1);
    CHECK(json["time"] == 1000);
    CHECK(json["service"]["ready"] == true);
    CHECK(json["service"]["state"] == "serving");
    CHECK(json["service"]["draining"] == false);
    CHECK(json["workers"][0]["request"]["line"] == "GET /x HTTP/1.1");
    CHECK(json["workers"][0]["request"]["id"] == "id-0123456789abcdefgh");
    CHECK(json["workers"][0]["request"]["age"] == 1.5);
    CHECK(json["workers"][0]["usage"]["resident_bytes"] == 1024);
    CHECK(json["workers"][1]["request"] == nullptr);
    CHECK(json["workers"][1]["slot_recent"]["p95"] == nullptr);
    CHECK(json["workers"][1]["slot_last_end"] == nullptr);
    CHECK(json["listen_queues"][0]["limit"] == 2048);
    CHECK(json["expected_wait"] == nullptr);
    CHECK(json["slow_requests"] == 3);
    CHECK(json["settings"][0]["value"] == "SECRET=***");
}

TEST_CASE("status.json: any bytes come as text") {
    ServiceView view = good_view();
    WorkerEnd end;
    end.request_id = "id-0123456789abcdefgh";
    end.request = "GET /\"\\\n\xff\xfe\x01 HTTP/1.1";
    view.last_ends = {end};
    const Json json = Json::parse(status_json(view, {}, 0));
    CHECK(json["last_ends"][0]["request"] == "GET /\"\\\n\xef\xbf\xbd\xef\xbf\xbd\x01 HTTP/1.1");
    CHECK(json["last_ends"][0]["request_id"] == "id-0123456789abcdefgh");
}

} // namespace
} // namespace cppcorn
