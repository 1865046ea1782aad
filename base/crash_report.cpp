#include "base/crash_report.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include <cxxabi.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include "base/crash_stack.hpp"
#include "base/kill_timer.hpp"
#include "base/signals.hpp"

namespace cppcorn {
namespace {

constexpr auto stuck_after = std::chrono::seconds(3);
constexpr std::size_t handler_stack_size = 64 * 1024;

CrashRecord* record = nullptr;
pid_t owner = 0; // the process whose record that is

// Who waits for it.
std::atomic<std::uint8_t>* crash_flag = nullptr;
int crash_bell = -1;

// How far the report is. What faults meanwhile comes to the handler again, which goes on behind it.
enum class Stage { none, stack, modules, done };
std::atomic<Stage> stage{Stage::none};
std::atomic<pid_t> reporter{0}; // the thread

// ---- Exceptions

void append_to_exception(const char* text) {
    const std::size_t size = std::strlen(record->exception);
    std::strncat(record->exception, text, sizeof record->exception - size - 1);
}

// Nothing has been unwound yet, and what the exception holds is there: this is no signal handler.
void note_exception() {
    const std::type_info* const type = abi::__cxa_current_exception_type();
    if (type == nullptr) return;
    const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, nullptr),
                                                      std::free);
    append_to_exception(name == nullptr ? type->name() : name.get());
    try {
        throw;
    } catch (const std::exception& error) {
        append_to_exception(": ");
        append_to_exception(error.what());
    } catch (...) { // has no text
    }
}

[[noreturn]] void on_terminate() {
    if (::getpid() == owner) note_exception();
    std::abort();
}

// ---- Signals

// As if there had been no handler.
void end_by(int signal) {
    arm_kill_timer(std::chrono::seconds(0)); // a core dump may take its time
    std::signal(signal, SIG_DFL);
    ::raise(signal);
}

void note_signal(int signal, const siginfo_t& info) {
    record->signal = signal;
    record->code = info.si_code;
    record->process = ::getpid();
    record->thread = static_cast<std::int32_t>(::syscall(SYS_gettid));
    if (info.si_code <= 0) {
        record->sender = info.si_pid;
    } else {
        record->address = reinterpret_cast<std::uintptr_t>(info.si_addr);
    }
    ::prctl(PR_GET_NAME, record->thread_name);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    record->version = CrashRecord::current_version;
}

// Other threads go on for as long as the report takes.
void tell() {
    if (crash_flag == nullptr || ::syscall(SYS_gettid) != owner) return;
    crash_flag->store(1);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto ignored = ::write(crash_bell, &one, sizeof one);
}

void begin_report(int signal, const siginfo_t& info, void* context) {
    tell();
    note_signal(signal, info);
    stage = Stage::stack;
    note_stack(*record, context);
}

void end_report() {
    if (stage.exchange(Stage::modules) != Stage::stack) return;
    note_modules(*record);
    stage = Stage::done;
}

void on_crash(int signal, siginfo_t* info, void* context) {
    if (::getpid() != owner) return end_by(signal);
    const auto thread = static_cast<pid_t>(::syscall(SYS_gettid));
    pid_t none = 0;
    if (reporter.compare_exchange_strong(none, thread)) {
        // A report that gets stuck (a lock that the crashed code held) must not keep the process.
        arm_kill_timer(stuck_after);
        begin_report(signal, *info, context);
    } else if (none != thread) {
        for (;;) ::pause(); // another thread is at it, and ends the process
    } else if (stage == Stage::stack) {
        record->is_torn = true;
    }
    end_report();
    end_by(record->signal != 0 ? record->signal : signal);
}

_Unwind_Reason_Code stop_unwinding(_Unwind_Context*, void*) {
    return _URC_END_OF_STACK;
}

} // namespace

void tell_of_crash(std::atomic<std::uint8_t>& flag, int bell) {
    crash_flag = &flag;
    crash_bell = bell;
}

void take_crash_stack() {
    static std::array<char, handler_stack_size> handler_stack;
    stack_t stack{};
    stack.ss_sp = handler_stack.data();
    stack.ss_size = handler_stack.size();
    ::sigaltstack(&stack, nullptr);
}

void install_crash_report(CrashRecord& shared) {
    record = &shared;
    owner = ::getpid();
    _Unwind_Backtrace(stop_unwinding, nullptr); // what it does the first time only, a handler must not do
    std::set_terminate(on_terminate);
    take_crash_stack();
    for (const int signal : signals_used(ProcessKind::worker, SignalUse::crash)) {
        struct sigaction action {};
        action.sa_sigaction = on_crash;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER; // a fault in the report comes here as well
        sigemptyset(&action.sa_mask);
        ::sigaction(signal, &action, nullptr);
    }
}

} // namespace cppcorn
