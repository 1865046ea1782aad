#include "base/signal_sender.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <fstream>

#include <fmt/format.h>

#include "base/log/escape.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t signal_count = 32; // the classic ones
constexpr std::uint64_t nobody = ~std::uint64_t{0};

// Pid and uid in one, so that they belong together.
struct Senders {
    Senders() {
        for (auto& sender : by_signal) sender = nobody;
    }
    std::array<std::atomic<std::uint64_t>, signal_count> by_signal{};
};

Senders senders;

} // namespace

void note_signal_sender(int signal, const siginfo_t& info) {
    const bool is_sent = info.si_code <= 0; // by kill() and its kin; what the kernel sends is positive
    const auto pid = static_cast<std::uint64_t>(static_cast<std::uint32_t>(info.si_pid));
    senders.by_signal[static_cast<std::size_t>(signal)] = is_sent ? pid << 32 | info.si_uid : nobody;
}

std::optional<SignalSender> last_signal_sender(int signal) {
    const std::uint64_t sender = senders.by_signal[static_cast<std::size_t>(signal)];
    if (sender == nobody) return std::nullopt;
    return SignalSender{static_cast<pid_t>(sender >> 32), static_cast<uid_t>(sender)};
}

std::string text_of(const SignalSender& sender) {
    if (sender.pid == 0) return "a process outside of this container";
    std::ifstream file(fmt::format("/proc/{}/comm", sender.pid));
    std::string name;
    std::getline(file, name);
    const std::string in_brackets = name.empty() ? "" : fmt::format(" ({})", escaped(name));
    return fmt::format("pid {}{}, uid {}", sender.pid, in_brackets, sender.uid);
}

} // namespace cppcorn
