#include "base/signals.hpp"

#include "base/system_call.hpp"

namespace cppcorn {

std::vector<int> signals_used(ProcessKind kind, SignalUse use) {
    std::vector<int> numbers;
    for (const auto& row : signal_table) {
        if ((kind == ProcessKind::master ? row.in_master : row.in_worker) == use) numbers.push_back(row.number);
    }
    return numbers;
}

const char* signal_name(int signal) {
    for (const auto& row : signal_table) {
        if (row.number == signal) return row.name;
    }
    return "an unnamed signal";
}

void set_signal_handler(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    check(::sigaction(signal, &action, nullptr), "cannot handle ", signal_name(signal));
}

void ignore_signals(ProcessKind kind) {
    for (const int signal : signals_used(kind, SignalUse::ignored)) set_signal_handler(signal, [](int) {});
}

void reset_signals() {
    for (const auto& row : signal_table) {
        if (row.in_master == SignalUse::handled) set_signal_handler(row.number, SIG_DFL);
    }
}

void ignore_what_masters_handle() {
    for (const int signal : signals_used(ProcessKind::master, SignalUse::handled)) ::signal(signal, SIG_IGN);
}

void unblock_all_signals() {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

SignalBlock::SignalBlock() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &saved_);
}

SignalBlock::~SignalBlock() {
    ::sigprocmask(SIG_SETMASK, &saved_, nullptr);
}

} // namespace cppcorn
