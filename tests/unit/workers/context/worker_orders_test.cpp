#include "workers/context/worker_orders.hpp"

#include <thread>

#include "tests/catch.hpp"

using namespace cppcorn;

TEST_CASE("WorkerOrders: what is given can be seen, and is taken once") {
    WorkerOrders orders;
    CHECK_FALSE(orders.any());
    orders.give(WorkerOrder::retire);
    orders.give(WorkerOrder::reopen_logs);
    orders.give(WorkerOrder::retire);
    CHECK(orders.any());
    CHECK(orders.waiting().contains(WorkerOrder::retire));
    CHECK_FALSE(orders.waiting().contains(WorkerOrder::exit));
    const auto taken = orders.take();
    CHECK(taken.contains(WorkerOrder::retire));
    CHECK(taken.contains(WorkerOrder::reopen_logs));
    CHECK_FALSE(taken.contains(WorkerOrder::exit));
    CHECK_FALSE(orders.any());
    CHECK_FALSE(orders.take().contains(WorkerOrder::retire));
}

TEST_CASE("WorkerOrders: the next worker gets none of the last one's") {
    WorkerOrders orders;
    orders.give(WorkerOrder::exit);
    orders.clear();
    CHECK_FALSE(orders.any());
}

TEST_CASE("WorkerOrders: a level of the log is an order, too, and the last one counts") {
    WorkerOrders orders;
    CHECK_FALSE(orders.take().log_level());
    for (unsigned level = 0; level <= WorkerOrders::highest_log_level; ++level) orders.give_log_level(level);
    CHECK(orders.any());
    CHECK_FALSE(orders.end_wanted());
    orders.give(WorkerOrder::reopen_logs);
    orders.give_log_level(0);
    const auto taken = orders.take();
    CHECK(taken.log_level() == 0);
    CHECK(taken.contains(WorkerOrder::reopen_logs));
    CHECK_FALSE(taken.contains(WorkerOrder::retire));
    CHECK_FALSE(orders.any());
}

TEST_CASE("WorkerOrders: one that is given while others are taken is not lost") {
    WorkerOrders orders;
    std::thread master([&] {
        for (int i = 0; i < 200'000; ++i) orders.give(WorkerOrder::reopen_logs);
        orders.give(WorkerOrder::exit);
    });
    bool told_to_exit = false;
    while (!told_to_exit) told_to_exit = orders.take().contains(WorkerOrder::exit);
    master.join();
    CHECK(told_to_exit);
}
