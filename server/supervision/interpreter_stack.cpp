#include "server/supervision/interpreter_stack.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/server_fd.hpp"
#include "base/system_call.hpp"
#include "server/supervision/worker_stack.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_between_looks = 5ms; // one without anything new is the end
constexpr auto patience = 2s;
constexpr std::size_t longest_stack = 12'000;

// As bridges/python/cppcorn/_worker.py has it.
int stack_to_file_signal() {
    return SIGRTMAX - 4;
}

ServerFd& file() {
    static ServerFd file;
    return file;
}

std::size_t size_of_file() {
    struct stat status {};
    return ::fstat(stack_file(), &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

std::string text_of_file() {
    std::string text(longest_stack, '\0');
    const ssize_t size = ::pread(stack_file(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text;
}

} // namespace

void make_stack_file() {
    file().reset(check(::memfd_create("cppcorn-stack", MFD_CLOEXEC), "cannot make memory for stacks"));
    check(::fcntl(stack_file(), F_SETFL, O_APPEND), "cannot make memory for stacks"); // a new one begins at 0
}

int stack_file() {
    return file().get();
}

bool InterpreterStack::can_ask(pid_t pid) {
    return stack_file() >= 0 && handles_signal(pid, stack_to_file_signal());
}

void InterpreterStack::ask(pid_t pid, SteadyTime now) {
    [[maybe_unused]] const int ignored = ::ftruncate(stack_file(), 0);
    ::syscall(SYS_tgkill, pid, pid, stack_to_file_signal()); // to the thread that serves
    asked_at_ = now;
    size_ = 0;
    due_ = now + pause_between_looks;
}

std::optional<std::string> InterpreterStack::look(SteadyTime now) {
    if (now < due_) return std::nullopt;
    due_ = now + pause_between_looks;
    const std::size_t before = size_;
    size_ = size_of_file();
    const bool is_whole = size_ > 0 && size_ == before;
    if (!is_whole && now < asked_at_ + patience) return std::nullopt;
    asked_at_ = due_ = SteadyTime::max();
    return text_of_file();
}

} // namespace cppcorn
