#include "server/settings/cpu_count.hpp"

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

CgroupFiles with_cpu_max(const char* text) {
    CgroupFiles files;
    files.cpu_max = text;
    return files;
}

CgroupFiles with_quota(const char* quota, const char* period) {
    CgroupFiles files;
    files.cpu_quota = quota;
    files.cpu_period = period;
    return files;
}

CgroupFiles with_memory_max(const char* text) {
    CgroupFiles files;
    files.memory_max = text;
    return files;
}

TEST_CASE("without limits, auto means one worker a core") {
    CHECK(count_auto_workers(8, {}) == 8);
    CHECK(count_auto_workers(8, {CgroupFiles{}}) == 8);
    CHECK(count_auto_workers(0, {}) == 1);
    CHECK(count_auto_workers(9999, {}) == 500);
}

TEST_CASE("a CPU quota is rounded up and never adds cores") {
    CHECK(count_auto_workers(8, {with_cpu_max("max 100000\n")}) == 8);
    CHECK(count_auto_workers(8, {with_cpu_max("200000 100000\n")}) == 2);
    CHECK(count_auto_workers(8, {with_cpu_max("150000 100000\n")}) == 2);
    CHECK(count_auto_workers(8, {with_cpu_max("1000 100000\n")}) == 1);
    CHECK(count_auto_workers(2, {with_cpu_max("900000 100000\n")}) == 2);
    CHECK(count_auto_workers(8, {with_quota("250000\n", "100000\n")}) == 3);
    CHECK(count_auto_workers(8, {with_quota("-1\n", "100000\n")}) == 8);
}

TEST_CASE("each worker has 64 MiB of the memory limit") {
    CHECK(count_auto_workers(8, {with_memory_max("max\n")}) == 8);
    CHECK(count_auto_workers(8, {with_memory_max("536870912\n")}) == 8);
    CHECK(count_auto_workers(8, {with_memory_max("268435456\n")}) == 4);
    CHECK(count_auto_workers(8, {with_memory_max("268435455\n")}) == 3);
    CHECK(count_auto_workers(8, {with_memory_max("1048576\n")}) == 1);
    CgroupFiles version_1;
    version_1.memory_limit = "134217728\n";
    CHECK(count_auto_workers(8, {version_1}) == 2);
    version_1.memory_limit = "9223372036854771712\n";
    CHECK(count_auto_workers(8, {version_1}) == 8);
}

TEST_CASE("the tightest group counts") {
    CHECK(count_auto_workers(
              8, {with_cpu_max("max 100000"), with_cpu_max("400000 100000"), with_memory_max("201326592")}) == 3);
}

TEST_CASE("files that hold something else are no limit") {
    CHECK(count_auto_workers(4, {with_cpu_max("x y"), with_cpu_max("100000"), with_cpu_max("1 0"), with_memory_max("x"),
                                 with_quota("5", "")}) == 4);
}

TEST_CASE("the limits of a group and of all above it are looked at") {
    CHECK(cgroup_directories("0::/\n") == std::vector<std::string>{"/sys/fs/cgroup"});
    CHECK(cgroup_directories("0::/a/b\n") ==
          std::vector<std::string>{"/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"});
    CHECK(cgroup_directories("5:cpu,cpuacct:/x\n4:memory:/\n3:pids:/y\n") ==
          std::vector<std::string>{"/sys/fs/cgroup/cpu/x", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory"});
    CHECK(cgroup_directories("0::/../../other\n").empty());
    CHECK(cgroup_directories("nonsense\n1:\n").empty());
}

TEST_CASE("this machine can run a worker") {
    CHECK(auto_worker_count() >= 1);
    CHECK(auto_worker_count() <= 500);
}

} // namespace
} // namespace cppcorn
