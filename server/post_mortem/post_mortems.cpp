#include "server/post_mortem/post_mortems.hpp"

#include <csignal>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log/logged_request.hpp"
#include "base/signals.hpp"
#include "base/system_call.hpp"
#include "server/post_mortem/crash_text.hpp"
#include "server/post_mortem/symbol_reader.hpp"
#include "server/process/child.hpp"
#include "server/process/hosting.hpp"

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
    std::vector<std::string> command{"cppcorn"};
    if (hosting() != nullptr) command = hosting()->program;
    command.emplace_back(symbol_reader_argument);
    std::vector<char*> arguments;
    for (auto& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    ::execv(hosting() != nullptr ? arguments.front() : "/proc/self/exe", arguments.data());
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

bool PostMortems::takes_living() const {
    return !in_hurry_ && waiting_.size() < most_waiting;
}

void PostMortems::add_living(Death death) {
    death.crash.version = CrashRecord::current_version;
    waiting_.push_back(std::move(death));
}

void PostMortems::begin_next(SteadyTime now) {
    while (!waiting_.empty()) {
        const bool has_stack = waiting_.front().crash.version != 0;
        try {
            if (has_stack && !in_hurry_ && waiting_.size() <= most_waiting) return begin(waiting_.front(), now);
        } catch (const std::system_error&) { // no process, or no memory
        }
        print(waiting_.front(), {});
        waiting_.pop_front();
    }
}

void PostMortems::print(const Death& death, const CrashSymbols& symbols) const {
    const LoggedRequest logged({death.request_id, death.request, death.client.c_str()});
    const std::string text = crash_text(death, symbols);
    if (death.tell) return death.tell(text);
    if (death.headline.empty()) return print_(death.pid, text);
    spdlog::warn("{}", text);
}

void PostMortems::begin(const Death& death, SteadyTime now) {
    exchange_.reset(check(::memfd_create("cppcorn-crash", MFD_CLOEXEC), "cannot make memory for a crash"));
    const ssize_t size = check(::write(exchange_.get(), &death.crash, sizeof death.crash), "cannot pass on a crash");
    if (size != sizeof death.crash) throw_system_error("cannot pass on a crash", EIO);
    if (!death.stack.empty()) {
        const ssize_t more = ::pwrite(exchange_.get(), death.stack.data(), death.stack.size(), live_stack_at);
        check(more, "cannot pass on a stack");
    }
    const ChildPlan plan{ChildRole::symbol_reader, "", death.identity, {exchange_.get()}};
    reader_pid_ = fork_child(plan, nullptr, [&] { return become_reader(exchange_.get()); });
    deadline_ = now + patience;
}

void PostMortems::reader_exited() {
    reader_pid_ = 0;
    deadline_ = SteadyTime::max();
    Death& death = waiting_.front();
    if (!death.stack.empty()) death.crash = record_in_exchange();
    print(death, read_symbols(answer()));
    exchange_.reset();
    waiting_.pop_front();
}

// The frames that it has found.
CrashRecord PostMortems::record_in_exchange() const {
    CrashRecord record{};
    if (::pread(exchange_.get(), &record, sizeof record, 0) != sizeof record) return {};
    return checked(record);
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
