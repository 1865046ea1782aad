// Who has sent a signal, as far as the kernel tells.
#pragma once

#include <csignal>
#include <optional>
#include <string>

#include <sys/types.h>

namespace cppcorn {

struct SignalSender {
    pid_t pid = 0; // 0: it is in another pid namespace, as what stops a container is
    uid_t uid = 0;
};

// For handlers: async-signal-safe.
void note_signal_sender(int signal, const siginfo_t& info);

// Of the last signal of that number; nullopt if none has come, or the kernel has sent it itself (a terminal's Ctrl-C).
std::optional<SignalSender> last_signal_sender(int signal);

// "pid 4711 (systemd), uid 0". Without the name if the process has ended meanwhile.
std::string text_of(const SignalSender& sender);

} // namespace cppcorn
