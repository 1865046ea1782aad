#include "bridges/python/gil.hpp"

#include <atomic>
#include <utility>

namespace cppcorn::python {
namespace {

PyThreadState* parked = nullptr; // of the thread that runs the server

// Both change with the lock held only.
std::atomic<bool> is_taken = false; // somebody has the turn
int waiting = 0;                    // for it

void wait_for_turn() {
    ++waiting;
    PyThreadState* const own = PyEval_SaveThread();
    is_taken.wait(true);
    PyEval_RestoreThread(own);
    --waiting;
}

} // namespace

void park() {
    parked = PyEval_SaveThread();
}

void unpark() {
    PyEval_RestoreThread(std::exchange(parked, nullptr));
}

ServerTurn::ServerTurn(Gil gil) {
    while (is_taken.load(std::memory_order_relaxed)) wait_for_turn();
    is_taken.store(true, std::memory_order_relaxed);
    if (gil == Gil::released) released_ = PyEval_SaveThread();
}

ServerTurn::~ServerTurn() {
    if (released_ != nullptr) PyEval_RestoreThread(released_);
    is_taken.store(false, std::memory_order_release);
    if (waiting > 0) is_taken.notify_all();
}

void ServerTurn::wait_for_others() {
    while (is_taken || waiting > 0) wait_for_turn();
}

void before_fork() {
    unpark();
    PyOS_BeforeFork();
}

void after_fork_in_parent() {
    PyOS_AfterFork_Parent();
    park();
}

void after_fork_in_child() {
    PyOS_AfterFork_Child();
    park();
}

} // namespace cppcorn::python
