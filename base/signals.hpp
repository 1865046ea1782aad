// The signals of the program: one table says what each is called and what the master and the workers do with it.
#pragma once

#include <csignal>
#include <vector>

namespace cppcorn {

// The two kinds of process. Other children of the master (a probe, a
// new master) have the default actions for what the master handles; what it ignores, they ignore.
enum class ProcessKind { master, worker };

enum class SignalUse {
    standard, // the system's default action
    handled,  // noted by the process's SignalInbox and handled in its loop
    ignored,  // nothing happens; see ignore_signals()
    crash,    // the process ends by it, after a report (base/crash_report.hpp)
};

struct SignalRow {
    int number;
    const char* name; // "SIGTERM"
    SignalUse in_master;
    SignalUse in_worker;
};

inline constexpr SignalRow signal_table[] = {
    {SIGHUP, "SIGHUP", SignalUse::handled, SignalUse::ignored},
    {SIGINT, "SIGINT", SignalUse::handled, SignalUse::handled},
    {SIGQUIT, "SIGQUIT", SignalUse::handled, SignalUse::handled},
    {SIGTERM, "SIGTERM", SignalUse::handled, SignalUse::handled},
    {SIGUSR1, "SIGUSR1", SignalUse::handled, SignalUse::handled},
    {SIGUSR2, "SIGUSR2", SignalUse::handled, SignalUse::ignored},
    {SIGTTIN, "SIGTTIN", SignalUse::handled, SignalUse::ignored},
    {SIGTTOU, "SIGTTOU", SignalUse::handled, SignalUse::ignored},
    {SIGWINCH, "SIGWINCH", SignalUse::handled, SignalUse::standard}, // which is to ignore it
    {SIGCHLD, "SIGCHLD", SignalUse::handled, SignalUse::standard},
    {SIGPIPE, "SIGPIPE", SignalUse::ignored, SignalUse::ignored}, // the write that fails says so
    {SIGXFSZ, "SIGXFSZ", SignalUse::ignored, SignalUse::ignored}, // the same
    {SIGSEGV, "SIGSEGV", SignalUse::standard, SignalUse::crash},
    {SIGBUS, "SIGBUS", SignalUse::standard, SignalUse::crash},
    {SIGILL, "SIGILL", SignalUse::standard, SignalUse::crash},
    {SIGFPE, "SIGFPE", SignalUse::standard, SignalUse::crash},
    {SIGABRT, "SIGABRT", SignalUse::standard, SignalUse::crash},
    {SIGALRM, "SIGALRM", SignalUse::standard, SignalUse::standard},
    {SIGKILL, "SIGKILL", SignalUse::standard, SignalUse::standard},
    {SIGSYS, "SIGSYS", SignalUse::standard, SignalUse::standard},
    {SIGTRAP, "SIGTRAP", SignalUse::standard, SignalUse::standard},
    {SIGXCPU, "SIGXCPU", SignalUse::standard, SignalUse::standard},
};

// The numbers of the signals that a process of that kind uses so.
std::vector<int> signals_used(ProcessKind kind, SignalUse use);

// "SIGSEGV"; "an unnamed signal" for one that is not in the table. Async-signal-safe.
const char* signal_name(int signal);

// From now on nothing happens when those signals come that the table calls ignored for this kind of process. By a
// handler that does nothing: unlike SIG_IGN, it is gone again in a program that the app starts.
void ignore_signals(ProcessKind kind);

// In a fresh child: every signal that the master handles has its default action again.
void reset_signals();

// For a child that ends when the master tells it to, after the workers: what is sent to all processes of the service
// (Ctrl-C, a stop by systemd) is not for it. With SIG_IGN, as it starts no program.
void ignore_what_masters_handle();

void unblock_all_signals();

// Blocks every signal for as long as it lives: around a fork, so that none is lost between the parent's handlers and
// the child's.
class SignalBlock {
  public:
    SignalBlock();
    ~SignalBlock();
    SignalBlock(const SignalBlock&) = delete;
    SignalBlock& operator=(const SignalBlock&) = delete;

  private:
    sigset_t saved_;
};

// Installs a handler with SA_RESTART, during which every other signal is blocked. Throws std::system_error.
void set_signal_handler(int signal, void (*handler)(int));

} // namespace cppcorn
