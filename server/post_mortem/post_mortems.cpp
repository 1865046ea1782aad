#include "server/post_mortem/post_mortems.hpp"

#include <array>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/signals.hpp"
#include "base/system_call.hpp"
#include "server/post_mortem/crash_text.hpp"
#include "server/post_mortem/symbol_reader.hpp"
#include "server/post_mortem/symbols.hpp"
#include "server/process/child.hpp"

namespace cppcorn {
namespace {

constexpr auto patience = std::chrono::seconds(10);
constexpr std::size_t most_waiting = 16;
constexpr std::size_t longest_answer = std::size_t{256} << 10;

// Runs in the child, with all signals blocked. Never returns.
int become_reader(int exchange) {
    // To its number last: it may have been that already, and dup2 would leave it to be closed by exec then.
    const int copy = check(::fcntl(exchange, F_DUPFD_CLOEXEC, symbol_reader_fd + 1), "cannot pass on a crash");
    check(::dup2(copy, symbol_reader_fd), "cannot pass on a crash");
    unblock_all_signals();
    std::array<char, 8> name{"cppcorn"};
    std::string argument = symbol_reader_argument;
    char* const arguments[] = {name.data(), argument.data(), nullptr};
    ::execv("/proc/self/exe", arguments);
    return EXIT_FAILURE;
}

} // namespace

std::string PostMortems::add(Death death, SteadyTime now) {
    if (const auto repeat = known_.note(death, now)) {
        return fmt::format(". The same crash as pid {}'s, {} times now", repeat->first_pid, repeat->count);
    }
    waiting_.push_back(std::move(death));
    return "";
}

void PostMortems::begin_next(SteadyTime now) {
    while (!waiting_.empty()) {
        const bool has_stack = waiting_.front().crash.version != 0;
        try {
            if (has_stack && !in_hurry_ && waiting_.size() <= most_waiting) return begin(waiting_.front(), now);
        } catch (const std::system_error&) { // no process, or no memory
        }
        print_(crash_text(waiting_.front(), {}));
        waiting_.pop_front();
    }
}

void PostMortems::begin(const Death& death, SteadyTime now) {
    exchange_.reset(check(::memfd_create("cppcorn-crash", MFD_CLOEXEC), "cannot make memory for a crash"));
    const ssize_t size = check(::write(exchange_.get(), &death.crash, sizeof death.crash), "cannot pass on a crash");
    if (size != sizeof death.crash) throw_system_error("cannot pass on a crash", EIO);
    const ChildPlan plan{ChildRole::symbol_reader, "", death.identity, {exchange_.get()}};
    reader_pid_ = fork_child(plan, nullptr, [&] { return become_reader(exchange_.get()); });
    deadline_ = now + patience;
}

void PostMortems::reader_exited() {
    reader_pid_ = 0;
    deadline_ = SteadyTime::max();
    print_(crash_text(waiting_.front(), read_symbols(answer())));
    exchange_.reset();
    waiting_.pop_front();
}

// Whatever it has written, even if it did not come to the end.
std::string PostMortems::answer() const {
    std::string text(longest_answer, '\0');
    const ssize_t size = ::pread(exchange_.get(), text.data(), text.size(), sizeof(CrashRecord));
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
}

void PostMortems::supervise(SteadyTime now) {
    if (now >= hurry_at_) hurry();
    if (reader_pid_ == 0) return begin_next(now);
    if (now < deadline_) return;
    deadline_ = SteadyTime::max();
    ::kill(reader_pid_, SIGKILL);
}

void PostMortems::hurry() {
    in_hurry_ = true;
    hurry_at_ = SteadyTime::max();
    if (reader_pid_ != 0) ::kill(reader_pid_, SIGKILL);
}

void PostMortems::come_to_an_end(SteadyTime now) {
    if (!in_hurry_) hurry_at_ = std::min(hurry_at_, now + patience);
}

} // namespace cppcorn
