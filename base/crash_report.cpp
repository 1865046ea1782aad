#include "base/crash_report.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include <cxxabi.h>
#include <execinfo.h>
#include <poll.h>
#include <unistd.h>

#include "base/kill_timer.hpp"
#include "base/log/error_log.hpp"
#include "base/signals.hpp"

namespace cppcorn {
namespace {

constexpr int most_frames = 64;
constexpr auto stuck_after = std::chrono::seconds(3);
constexpr std::size_t handler_stack_size = 64 * 1024;

// A line that is put together and written at once, so that others that write to the log do not come between. The
// handler may use async-signal-safe functions only: no allocation, no stdio.
class Line {
  public:
    Line& operator<<(const char* text) {
        while (*text != '\0' && size_ < sizeof text_) text_[size_++] = *text++;
        return *this;
    }

    Line& operator<<(unsigned long number) {
        char digits[24];
        char* at = digits + sizeof digits;
        *--at = '\0';
        do {
            *--at = static_cast<char>('0' + number % 10);
            number /= 10;
        } while (number != 0);
        return *this << at;
    }

    void write(int fd) const { [[maybe_unused]] const auto ignored = ::write(fd, text_, size_); }

  private:
    char text_[384];
    std::size_t size_ = 0;
};

// A log that is full must not keep a process that has crashed. Asked before each line: that much fits, then.
bool has_room(int fd) {
    pollfd waited{fd, POLLOUT, 0};
    return ::poll(&waited, 1, 0) > 0 && (waited.revents & POLLOUT) != 0;
}

// "std::runtime_error: what() of it", of the exception that std::terminate was called for; else empty.
char exception_text[256];

void note_exception(const char* text) {
    std::strncat(exception_text, text, sizeof exception_text - std::strlen(exception_text) - 1);
}

// Nothing has been unwound yet, and what the exception holds is there: this is no signal handler.
[[noreturn]] void on_terminate() {
    if (const std::type_info* type = abi::__cxa_current_exception_type()) {
        const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, nullptr),
                                                          std::free);
        note_exception(name == nullptr ? type->name() : name.get());
        try {
            throw;
        } catch (const std::exception& error) {
            note_exception(": ");
            note_exception(error.what());
        } catch (...) {
        }
    }
    std::abort();
}

void report_crash(int signal) {
    // A report that gets stuck (a lock that the crashed code held) must not keep the process.
    arm_kill_timer(stuck_after);
    Line line;
    line << "Stack of pid " << static_cast<unsigned long>(::getpid()) << " at " << signal_name(signal) << ":\n";
    if (exception_text[0] != '\0') line << "Uncaught " << exception_text << "\n";
    const int log = error_log_fd();
    if (has_room(log)) line.write(log);
    void* frames[most_frames];
    const int count = ::backtrace(frames, most_frames);
    // The first two are this function and the signal's trampoline.
    for (int i = count > 2 ? 2 : 0; i < count && has_room(log); ++i) ::backtrace_symbols_fd(frames + i, 1, log);
    arm_kill_timer(std::chrono::seconds(0)); // a core dump may take its time
    ::raise(signal);
}

} // namespace

void install_crash_report() {
    // The first call loads libgcc, which a handler must not do.
    void* frame;
    ::backtrace(&frame, 1);
    std::set_terminate(on_terminate);
    static std::array<char, handler_stack_size> handler_stack;
    stack_t stack{};
    stack.ss_sp = handler_stack.data();
    stack.ss_size = handler_stack.size();
    ::sigaltstack(&stack, nullptr);
    for (const int signal : signals_used(ProcessKind::worker, SignalUse::crash)) {
        struct sigaction action {};
        action.sa_handler = report_crash;
        action.sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESETHAND; // a fault in the report ends it
        sigemptyset(&action.sa_mask);
        ::sigaction(signal, &action, nullptr);
    }
}

} // namespace cppcorn
