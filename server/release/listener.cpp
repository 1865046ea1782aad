#include "server/release/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system_call.hpp"
#include "server/process/identity.hpp"

namespace cppcorn {
namespace {

// What the kernel holds for a client that does not read, besides what is on its way. With four megabytes of it (the
// default), a few hundred such clients make each send take milliseconds.
constexpr int most_unsent = 1024 * 1024;

struct AddressList {
    addrinfo* first = nullptr;
    ~AddressList() {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

void resolve(const BindAddress& address, Milliseconds retry_for, AddressList& result) {
    addrinfo hints{};
    hints.ai_family = address.kind == BindAddress::Kind::tcp6 ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    const std::string port = std::to_string(address.port);
    const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &result.first);
    if (error == 0) return;
    const std::string reason = error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error);
    throw BindError("cannot bind " + address.host + ": " + reason, retry_for);
}

[[noreturn]] void throw_bind_error(const std::string& what, int error, Milliseconds retry_for) {
    const bool may_pass = error == EADDRINUSE || error == EADDRNOTAVAIL || error == ENODEV || error == ENETDOWN;
    throw BindError(what + ": " + std::strerror(error), may_pass ? retry_for : Milliseconds(0));
}

void check_bind(int result, const std::string& what, const Settings& settings) {
    if (result < 0) throw_bind_error(what, errno, settings.bind_retry);
}

void set_option(int socket, int level, int option, int value, const std::string& what) {
    check(::setsockopt(socket, level, option, &value, sizeof value), what);
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error("cannot bind unix:" + path + ": the path is longer than " +
                                 std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

// What an earlier run left behind goes; anything else is an error.
void remove_stale_socket(const std::string& path, const sockaddr_un& address, Milliseconds retry_for) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return;
    if (!S_ISSOCK(info.st_mode)) {
        throw std::runtime_error("cannot bind unix:" + path + ": it exists and is not a socket");
    }
    const UniqueFd probe(
        check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "cannot make a socket"));
    const int result = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (result == 0 || errno == EAGAIN) throw_bind_error("cannot bind unix:" + path, EADDRINUSE, retry_for);
    ::unlink(path.c_str());
}

std::optional<ino_t> inode_of(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return {};
    return info.st_ino;
}

void check_listens(int socket, const std::string& what) {
    int listening = 0;
    socklen_t size = sizeof listening;
    check(::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size), what);
    if (listening == 0) throw std::runtime_error(what + ": it is not a listening socket");
}

std::string address_text(int family, const void* address) {
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(family, address, text, sizeof text);
    return text;
}

} // namespace

Listener::Listener(const BindAddress& address, const Settings& settings, bool ipv6_only)
    : address_(address), bound_(address), maker_(::getpid()) {
    switch (address.kind) {
        case BindAddress::Kind::tcp4:
        case BindAddress::Kind::tcp6:
            open_tcp(settings, ipv6_only);
            break;
        case BindAddress::Kind::unix_path:
            open_unix(settings);
            break;
        case BindAddress::Kind::inherited_fd:
            adopt();
            break;
    }
    prepare();
}

Listener::Listener(const BindAddress& address, UniqueFd socket, std::uint64_t file_number)
    : address_(address), bound_(address), socket_(std::move(socket)), maker_(::getpid()), owns_file_(false) {
    check_listens(socket_.get(), "cannot take over " + address.text());
    ::fcntl(socket_.get(), F_SETFD, FD_CLOEXEC);
    if (file_number != 0) inode_ = static_cast<ino_t>(file_number);
    prepare();
}

Listener::~Listener() {
    if (!inode_ || !owns_file_ || maker_ != ::getpid()) return;
    if (is_reachable()) ::unlink(address_.path.c_str());
}

bool Listener::is_reachable() const {
    return !inode_ || inode_of(address_.path) == inode_;
}

void Listener::prepare() {
    check(::fcntl(socket_.get(), F_SETFL, O_NONBLOCK), "cannot set up ", address_.text());
    find_bound_address();
    // Accepted sockets inherit these; a unix socket has no such options.
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most_unsent, sizeof most_unsent);
    // A connection is accepted once its first bytes are here, or after a second: most are served in one go then.
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on);
}

void Listener::open_tcp(const Settings& settings, bool ipv6_only) {
    AddressList addresses;
    resolve(address_, settings.bind_retry, addresses);
    const addrinfo& first = *addresses.first;
    const std::string what = "cannot bind " + address_.setting();
    socket_.reset(check(::socket(first.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), what));
    set_option(socket_.get(), SOL_SOCKET, SO_REUSEADDR, 1, what);
    if (settings.reuse_port) set_option(socket_.get(), SOL_SOCKET, SO_REUSEPORT, 1, what);
    if (first.ai_family == AF_INET6) set_option(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only ? 1 : 0, what);
    check_bind(::bind(socket_.get(), first.ai_addr, first.ai_addrlen), what, settings);
    check_bind(::listen(socket_.get(), settings.backlog), what, settings);
}

void Listener::open_unix(const Settings& settings) {
    const sockaddr_un address = unix_address(address_.path);
    const std::string what = "cannot bind unix:" + address_.path;
    remove_stale_socket(address_.path, address, settings.bind_retry);
    socket_.reset(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), what));
    // Without --umask, who may connect is decided by the directory's permissions: the proxy in front is another user,
    // as a rule.
    const mode_t saved = ::umask(settings.umask.value_or(0));
    const int result = ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int error = errno;
    ::umask(saved);
    if (result != 0) throw_system_error(what, error);
    inode_ = inode_of(address_.path);
    if (const auto identity = wanted_identity(settings)) {
        check(::lchown(address_.path.c_str(), identity->uid, identity->gid), what);
    }
    check(::listen(socket_.get(), settings.backlog), what);
}

void Listener::adopt() {
    const std::string what = "cannot use " + address_.text();
    ::fcntl(address_.fd, F_SETFD, FD_CLOEXEC);
    // A copy, so that a reload that drops this listener and a later one that wants it back find the original open.
    socket_.reset(check(::fcntl(address_.fd, F_DUPFD_CLOEXEC, 3), what));
    check_listens(socket_.get(), what);
}

void Listener::find_bound_address() {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    check(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &size), "cannot ask for an address");
    if (storage.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
        bound_.kind = BindAddress::Kind::tcp4;
        bound_.host = address_text(AF_INET, &v4.sin_addr);
        bound_.port = ntohs(v4.sin_port);
    } else if (storage.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
        bound_.kind = BindAddress::Kind::tcp6;
        bound_.host = address_text(AF_INET6, &v6.sin6_addr);
        bound_.port = ntohs(v6.sin6_port);
    } else if (storage.ss_family == AF_UNIX) {
        bound_.kind = BindAddress::Kind::unix_path;
        bound_.path = reinterpret_cast<const sockaddr_un&>(storage).sun_path;
    }
}

ListeningSocket Listener::for_worker() const {
    if (bound_.kind == BindAddress::Kind::unix_path) return {socket_.get(), bound_.path, 0};
    return {socket_.get(), bound_.host, bound_.port};
}

Listeners open_listeners(const Settings& settings, const Listeners& present) {
    std::vector<BindAddress> addresses;
    for (const auto& text : settings.binds) addresses.push_back(parse_bind(text));
    Listeners listeners;
    Listeners usable = present;
    for (const auto& address : addresses) {
        const auto same = std::find_if(usable.begin(), usable.end(), [&](const auto& listener) {
            return listener->address() == address && listener->is_reachable();
        });
        if (same != usable.end()) {
            listeners.push_back(*same);
            usable.erase(same); // each serves for one: port 0 may be asked for twice
            continue;
        }
        // [::]:8000 takes IPv4 as well, unless that port is asked for with an IPv4 address of its own.
        const bool has_v4_twin = std::any_of(addresses.begin(), addresses.end(), [&](const BindAddress& other) {
            return other.kind == BindAddress::Kind::tcp4 && other.port == address.port;
        });
        listeners.push_back(std::make_shared<Listener>(address, settings, has_v4_twin));
    }
    return listeners;
}

} // namespace cppcorn
