#include "server/supervision/oom_kills.hpp"

#include <fstream>

#include "tests/catch.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime start{1h};

// Whether a count in that file is seen to grow.
void check_is_read(const TemporaryFolder& root, const std::string& counter, const std::string& before = "") {
    root.write(counter, before + "oom_kill 3\n");
    OomKills kills(root.path());
    CHECK(kills.recent(start) == OomKills::Answer::no);
    root.write(counter, before + "oom_kill 4\n");
    CHECK(kills.recent(start + 1s) == OomKills::Answer::yes);
}

TEST_CASE("oom kills: without a count nothing is known") {
    const TemporaryFolder root;
    CHECK(OomKills(root.path()).recent(start) == OomKills::Answer::unknown);
    root.write("proc/vmstat", "nr_free_pages 12\n");
    root.write("proc/self/cgroup", "garbage\n:\n0::/\n");
    CHECK(OomKills(root.path()).recent(start) == OomKills::Answer::unknown);
}

TEST_CASE("oom kills: of the control group, in both versions, else of the machine") {
    const TemporaryFolder root;
    check_is_read(root, "proc/vmstat", "nr_free_pages 12\nnot_oom_kill 7\n");
    root.write("proc/self/cgroup", "5:cpu:/x\n4:memory:/a:b/c\n0::/\n");
    check_is_read(root, "sys/fs/cgroup/memory/a:b/c/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n");
    root.write("proc/self/cgroup", "0::/system.slice/shop.service\n");
    check_is_read(root, "sys/fs/cgroup/system.slice/shop.service/memory.events", "low 0\noom 9\n");
}

TEST_CASE("oom kills: in a container the path is one of outside") {
    const TemporaryFolder root;
    root.write("proc/self/cgroup", "0::/docker/4711\n");
    check_is_read(root, "sys/fs/cgroup/memory.events");
}

TEST_CASE("oom kills: one lack of memory may end several processes, one after the other") {
    const TemporaryFolder root;
    root.write("proc/vmstat", "oom_kill 1\n");
    OomKills kills(root.path());
    root.write("proc/vmstat", "oom_kill 3\n");
    CHECK(kills.recent(start) == OomKills::Answer::yes);
    CHECK(kills.recent(start + 1s) == OomKills::Answer::yes);
    CHECK(kills.recent(start + 10s) == OomKills::Answer::no);
}

} // namespace
} // namespace cppcorn
