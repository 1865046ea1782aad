#include "server/control/control_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <netdb.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "server/control/control_codes.hpp"

namespace cppcorn {
namespace {

using Fault = ControlError::Fault;

constexpr std::size_t largest_answer = std::size_t{64} << 20;
constexpr int accepted = 202;

[[noreturn]] void fail(const std::string& path, int error) {
    const std::string text = fmt::format("{}: {}", path, std::strerror(error));
    if (error == ENOENT || error == ECONNREFUSED) throw ControlError(Fault::absent, "nobody listens at " + text);
    if (error == EACCES || error == EPERM) throw ControlError(Fault::forbidden, "no permission for " + text);
    if (error == EAGAIN || error == EINPROGRESS) throw ControlError(Fault::broken, path + ": no answer in time");
    throw ControlError(Fault::broken, text);
}

// For each call that waits on it.
void limit_waits(int fd, SteadyTime until, const std::string& path) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(until - SteadyClock::now()).count();
    if (left <= 0) fail(path, EAGAIN);
    const timeval time{left / 1'000'000, left % 1'000'000};
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

// nullopt, with errno: it did not come about.
std::optional<UniqueFd> try_to_connect(const sockaddr* address, socklen_t size, SteadyTime until,
                                       const std::string& name) {
    UniqueFd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return std::nullopt;
    limit_waits(fd.get(), until, name);
    if (::connect(fd.get(), address, size) != 0) return std::nullopt;
    return fd;
}

UniqueFd connect_to_path(const BindAddress& to, SteadyTime until, const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (to.path.size() >= sizeof address.sun_path) fail(name, ENAMETOOLONG);
    std::memcpy(address.sun_path, to.path.data(), to.path.size());
    socklen_t size = sizeof address;
    if (to.is_abstract()) {
        address.sun_path[0] = '\0';
        size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + to.path.size());
    }
    auto fd = try_to_connect(reinterpret_cast<const sockaddr*>(&address), size, until, name);
    if (!fd) fail(name, errno);
    return std::move(*fd);
}

// A name may have several addresses, of which not all are listened at.
UniqueFd connect_to_host(const BindAddress& to, SteadyTime until, const std::string& name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    const int error = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &list);
    if (error != 0) throw ControlError(Fault::absent, fmt::format("{}: {}", name, ::gai_strerror(error)));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
        if (auto fd = try_to_connect(each->ai_addr, each->ai_addrlen, until, name)) return std::move(*fd);
    }
    fail(name, errno);
}

UniqueFd connect_to(const BindAddress& to, SteadyTime until, const std::string& name) {
    switch (to.kind) {
        case BindAddress::Kind::unix_path:
            return connect_to_path(to, until, name);
        case BindAddress::Kind::tcp4:
        case BindAddress::Kind::tcp6:
            return connect_to_host(to, until, name);
        case BindAddress::Kind::inherited_fd:
            break;
    }
    fail(name, EDESTADDRREQ);
}

// A peer that closes before all is sent may have answered all the same.
void send_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && (errno == EPIPE || errno == ECONNRESET)) return;
        if (count < 0 && errno != EINTR) fail(path, errno);
        if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

// The server gives the length of what it answers here, always.
std::size_t length_in(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto at = head.find(name);
    std::size_t length = std::string_view::npos;
    if (at != std::string_view::npos) {
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    }
    return length;
}

constexpr std::string_view end_of_head = "\r\n\r\n";

// Its end need not be waited for, then.
bool is_whole(std::string_view bytes) {
    const auto head_size = bytes.find(end_of_head);
    if (head_size == std::string_view::npos) return false;
    return bytes.size() - head_size - end_of_head.size() >= length_in(bytes.substr(0, head_size + 2));
}

std::string receive(int fd, SteadyTime until, const std::string& path) {
    std::string bytes;
    std::array<char, 16384> part{};
    while (!is_whole(bytes)) {
        limit_waits(fd, until, path);
        const ssize_t count = ::recv(fd, part.data(), part.size(), 0);
        if (count == 0) return bytes;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == ECONNRESET) return bytes;
        if (count < 0) fail(path, errno);
        bytes.append(part.data(), static_cast<std::size_t>(count));
        if (bytes.size() > largest_answer) throw ControlError(Fault::broken, path + ": the answer has no end");
    }
    return bytes;
}

// Of the process that has made the socket.
bool is_of_other_user(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
    return ::geteuid() != 0 && ::geteuid() != peer.uid;
}

ControlAnswer parse_answer(std::string_view bytes, const std::string& path) {
    constexpr std::string_view version = "HTTP/1.1 ";
    if (bytes.empty()) throw ControlError(Fault::broken, path + ": closed without an answer");
    const auto head_size = bytes.find(end_of_head);
    ControlAnswer answer;
    if (bytes.substr(0, version.size()) == version && head_size != std::string_view::npos) {
        std::from_chars(bytes.data() + version.size(), bytes.data() + head_size, answer.status);
    }
    if (answer.status == 0) throw ControlError(Fault::broken, path + ": it is no cppcorn that answers");
    answer.body = bytes.substr(head_size + end_of_head.size());
    if (answer.body.size() < length_in(bytes.substr(0, head_size + 2)) || answer.body.empty()) {
        throw ControlError(Fault::broken, path + ": the answer was cut off");
    }
    return answer;
}

std::string without_line_end(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

ControlOrder refused(const ControlAnswer& answer) {
    const bool is_overrun = answer.status >= 500;
    return {0, ControlOrder::State::failed, is_overrun ? control_not_now : control_usage,
            without_line_end(answer.body)};
}

// Throws std::out_of_range.
ControlOrder::State state_named(const std::string& name) {
    constexpr std::array<std::pair<std::string_view, ControlOrder::State>, 4> names{{
        {"waiting", ControlOrder::State::waiting},
        {"running", ControlOrder::State::running},
        {"done", ControlOrder::State::done},
        {"failed", ControlOrder::State::failed},
    }};
    for (const auto& [known, state] : names) {
        if (known == name) return state;
    }
    throw std::out_of_range(name);
}

} // namespace

int code_of(Fault fault) {
    switch (fault) {
        case Fault::absent:
            return control_absent;
        case Fault::forbidden:
            return control_forbidden;
        case Fault::broken:
            break;
    }
    return control_no_outcome;
}

ControlClient::ControlClient(const std::string& path, Milliseconds patience) : name_(path), patience_(patience) {
    address_.kind = BindAddress::Kind::unix_path;
    address_.path = path;
}

ControlClient::ControlClient(BindAddress address, Milliseconds patience)
    : address_(std::move(address)), name_(address_.text()), patience_(patience) {}

ControlAnswer ControlClient::ask(const std::string& method, const std::string& target) const {
    const SteadyTime until = SteadyClock::now() + patience_;
    const UniqueFd fd = connect_to(address_, until, name_);
    const bool has_body = method == "POST";
    send_all(fd.get(),
             fmt::format("{} {} HTTP/1.1\r\nHost: control\r\n{}Connection: close\r\n\r\n", method, target,
                         has_body ? "Content-Length: 0\r\n" : ""),
             name_);
    const std::string bytes = receive(fd.get(), until, name_);
    // Whom it is not for, it tells nothing.
    if (bytes.empty() && address_.kind == BindAddress::Kind::unix_path && is_of_other_user(fd.get())) {
        throw ControlError(Fault::forbidden, "no permission: " + name_ + " is for root and the user of the master");
    }
    return parse_answer(bytes, name_);
}

ControlOrder ControlClient::give_order(const std::string& target) const {
    const ControlAnswer answer = post(target);
    if (answer.status != accepted) return refused(answer);
    try {
        ControlOrder order;
        order.number = nlohmann::json::parse(answer.body).at("order").get<std::uint64_t>();
        return order;
    } catch (const nlohmann::json::exception&) {
        throw ControlError(Fault::broken, name_ + ": the answer cannot be read");
    }
}

ControlOrder ControlClient::read_order(std::uint64_t number) const {
    const ControlAnswer answer = get(fmt::format("/orders/{}", number));
    if (answer.status != 200) {
        return {number, ControlOrder::State::failed, control_no_outcome, without_line_end(answer.body)};
    }
    try {
        const auto all = nlohmann::json::parse(answer.body);
        return {number, state_named(all.at("state").get<std::string>()), all.at("code").get<int>(),
                without_line_end(all.at("text").get<std::string>())};
    } catch (const std::exception&) {
        throw ControlError(Fault::broken, name_ + ": the answer cannot be read");
    }
}

} // namespace cppcorn
