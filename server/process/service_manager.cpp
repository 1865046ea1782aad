#include "server/process/service_manager.hpp"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/process/environment.hpp"

namespace cppcorn {
namespace {

constexpr auto retry_pause = std::chrono::milliseconds(100);

std::uint64_t number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return result.ec == std::errc{} && result.ptr == text.data() + text.size() ? number : 0;
}

// Not connected to anything for a path that cannot be a socket's.
UniqueFd connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const bool is_possible = (path.front() == '/' || path.front() == '@') && path.size() < sizeof address.sun_path;
    if (!is_possible) return UniqueFd();
    std::memcpy(address.sun_path, path.data(), path.size());
    if (path.front() == '@') address.sun_path[0] = '\0'; // an abstract one
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.is_open() || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
        return UniqueFd();
    }
    return socket;
}

// The clock that systemd compares with its own.
std::string monotonic_stamp() {
    const auto now = SteadyClock::now().time_since_epoch();
    return "MONOTONIC_USEC=" + std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

std::string state_message(ServiceManager::State state) {
    switch (state) {
        case ServiceManager::State::starting:
            return "";
        case ServiceManager::State::ready:
            return "READY=1\n";
        case ServiceManager::State::reloading:
            return "RELOADING=1\n" + monotonic_stamp() + "\n";
        case ServiceManager::State::stopping:
            return "STOPPING=1\n";
    }
    return "";
}

} // namespace

ServiceManager::ServiceManager() {
    const std::string path = take_variable("NOTIFY_SOCKET");
    const std::uint64_t timeout = number_of(take_variable("WATCHDOG_USEC"));
    const std::string watched = take_variable("WATCHDOG_PID");
    if (path.empty()) return;
    socket_ = connect_to(path);
    if (!socket_.is_open()) {
        spdlog::warn("Cannot reach the service manager at {} (NOTIFY_SOCKET); going on without", path);
        return;
    }
    if (!watched.empty() && watched != std::to_string(::getpid())) return;
    watchdog_ = std::chrono::microseconds(timeout / 2);
    if (watchdog_.count() > 0) ping_due_ = SteadyClock::now();
}

void ServiceManager::update(State state, const std::string& status) {
    std::string message;
    if (state != state_) message += state_message(state);
    if (status != status_) message += "STATUS=" + status + "\n";
    retry_at_ = SteadyTime::max();
    if (!message.empty() && !tell(message)) {
        retry_at_ = SteadyClock::now() + retry_pause;
        return;
    }
    state_ = state;
    status_ = status;
}

void ServiceManager::hand_over(pid_t successor) {
    // What is lost here would end the service with this process.
    pollfd room{socket_.get(), POLLOUT, 0};
    if (socket_.is_open()) ::poll(&room, 1, 1000);
    tell("MAINPID=" + std::to_string(successor) + "\n");
    socket_.reset();
    ping_due_ = SteadyTime::max();
}

void ServiceManager::take_over() {
    tell("MAINPID=" + std::to_string(::getpid()) + "\n");
}

void ServiceManager::ping(SteadyTime now, bool is_well) {
    is_well_ = is_well;
    if (!is_well || now < ping_due_) return;
    tell("WATCHDOG=1\n");
    ping_due_ = now + watchdog_;
}

// False if the manager has too much to read just now. One that does not listen at all is its own affair.
bool ServiceManager::tell(const std::string& message) {
    if (!socket_.is_open()) return true;
    const auto sent = ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 || errno != EAGAIN;
}

} // namespace cppcorn
