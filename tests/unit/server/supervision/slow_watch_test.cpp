#include "server/supervision/slow_watch.hpp"

#include <map>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{1000s};

struct Scene {
    std::vector<WorkerEntry> workers;
    std::map<int, SlowWatch::Sight> sights;
    SlowWatch watch;

    void add(int slot) {
        WorkerEntry entry;
        entry.pid = 100 + slot;
        entry.slot = slot;
        entry.state = WorkerState::serving;
        workers.push_back(entry);
    }
    std::vector<int> look(SteadyTime now) {
        std::vector<int> slots;
        for (const auto& each : watch.look(now, 2s, workers, [&](int slot) { return sights[slot]; })) {
            slots.push_back(each.slot);
        }
        return slots;
    }
};

using Slots = std::vector<int>;

TEST_CASE("slow watch: a request is found when it has run for the limit, and only once") {
    Scene scene;
    scene.add(3);
    CHECK(scene.look(start).empty());
    CHECK(scene.watch.due() == start + 2s);
    scene.sights[3] = {true, start + 500ms, 7};
    CHECK(scene.look(start + 2s).empty());
    CHECK(scene.watch.due() == start + 2500ms);
    CHECK(scene.look(start + 2500ms) == Slots{3});
    CHECK(scene.watch.due() == start + 4500ms);
    CHECK(scene.look(start + 4500ms).empty());
    CHECK(scene.look(start + 6500ms).empty());
    CHECK(scene.watch.count() == 1);
}

TEST_CASE("slow watch: the next request of the same worker is another one") {
    Scene scene;
    scene.add(3);
    scene.sights[3] = {true, start, 7};
    CHECK(scene.look(start + 2s) == Slots{3});
    scene.sights[3] = {true, start + 2100ms, 8};
    CHECK(scene.look(start + 4s).empty());
    CHECK(scene.look(start + 4100ms) == Slots{3});
    CHECK(scene.watch.count() == 2);
}

TEST_CASE("slow watch: so is the first one of a worker in the place of one that has died") {
    Scene scene;
    scene.add(3);
    scene.sights[3] = {true, start, 0};
    CHECK(scene.look(start + 2s) == Slots{3});
    scene.workers[0].pid = 999;
    scene.sights[3] = {true, start + 2100ms, 0};
    CHECK(scene.look(start + 4100ms) == Slots{3});
}

TEST_CASE("slow watch: several are found at once, and none where nobody is busy") {
    Scene scene;
    for (const int slot : {0, 1, 2}) scene.add(slot);
    scene.sights[0] = {true, start, 0};
    scene.sights[2] = {true, start + 1s, 0};
    CHECK(scene.look(start + 3s) == Slots{0, 2});
    scene.sights.clear();
    CHECK(scene.look(start + 5s).empty());
}

TEST_CASE("slow watch: a limit that has changed is looked at at once") {
    Scene scene;
    scene.add(3);
    CHECK(scene.look(start).empty());
    CHECK(scene.watch.due() > start);
    scene.watch.look_anew();
    CHECK(scene.watch.due() <= start);
    scene.look(start);
    CHECK(scene.watch.due() == start + 2s);
}

} // namespace
} // namespace cppcorn
