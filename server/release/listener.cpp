#include "server/release/listener.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

// What the kernel holds for a client that does not read, besides what is on its way. With four megabytes of it (the
// default), a few hundred such clients make each send take milliseconds.
constexpr int most_unsent = 1024 * 1024;

constexpr int most_attempts = 20; // to find a port that is free in both families

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

Listener::Listener(const BindAddress& address, const Settings& settings)
    : address_(address), bound_(address), maker_(::getpid()) {
    if (address.kind == BindAddress::Kind::inherited_fd) {
        adopt();
    } else if (address.is_abstract()) {
        open_abstract(settings);
    } else {
        open_unix(settings);
    }
    prepare();
}

Listener::Listener(const BindAddress& address, const SocketAddress& where, const Settings& settings, bool ipv6_only)
    : address_(address), bound_(address), maker_(::getpid()) {
    open_tcp(where, settings, ipv6_only);
    prepare();
}

Listener::Listener(const BindAddress& address, UniqueFd socket, std::uint64_t file_number, Links links)
    : address_(address), bound_(address), socket_(std::move(socket)), maker_(::getpid()), owns_file_(false) {
    check_listens(socket_.get(), "cannot take over " + address.text());
    ::fcntl(socket_.get(), F_SETFD, FD_CLOEXEC);
    if (file_number != 0) file_ = SocketFile(address.path, links, file_number);
    prepare();
}

Listener::~Listener() {
    if (owns_file_ && maker_ == ::getpid()) file_.remove();
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

void Listener::open_tcp(const SocketAddress& where, const Settings& settings, bool ipv6_only) {
    const std::string what = "cannot bind " + address_.setting();
    const auto* const generic = reinterpret_cast<const sockaddr*>(&where.storage);
    socket_.reset(::socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check_bind(socket_.get(), what, settings);
    set_option(socket_.get(), SOL_SOCKET, SO_REUSEADDR, 1, what);
    if (settings.reuse_port) set_option(socket_.get(), SOL_SOCKET, SO_REUSEPORT, 1, what);
    if (generic->sa_family == AF_INET6) set_option(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, ipv6_only ? 1 : 0, what);
    check_bind(::bind(socket_.get(), generic, where.size), what, settings);
    check_bind(::listen(socket_.get(), settings.backlog), what, settings);
}

void Listener::open_unix(const Settings& settings) {
    const std::string what = "cannot bind unix:" + address_.path;
    file_ = SocketFile(address_.path, settings.guard.links);
    if (!file_.make_way()) throw_bind_error(what, EADDRINUSE, settings.bind_retry);
    socket_.reset(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), what));
    // Without --umask, who may connect is decided by the directory's permissions: the proxy in front is another user,
    // as a rule.
    check_bind(file_.bind(socket_.get(), settings.umask.value_or(0)), what, settings);
    if (settings.guard.owner) file_.give(*settings.guard.owner);
    check_bind(::listen(socket_.get(), settings.backlog), what, settings);
}

void Listener::open_abstract(const Settings& settings) {
    const std::string what = "cannot bind " + address_.setting();
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    // "@x" for a zero byte and "x", without a zero at the end.
    address_.path.copy(where.sun_path + 1, sizeof where.sun_path - 1, 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.path.size());
    socket_.reset(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), what));
    check_bind(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&where), size), what, settings);
    check_bind(::listen(socket_.get(), settings.backlog), what, settings);
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
        // In the address itself there may be the file's name only (SocketFile).
        if (address_.kind == BindAddress::Kind::unix_path) return;
        const auto& local = reinterpret_cast<const sockaddr_un&>(storage);
        const std::size_t length = size - std::min<std::size_t>(size, offsetof(sockaddr_un, sun_path));
        bound_.path.assign(local.sun_path, length);
        if (length > 0 && bound_.path.front() == '\0') bound_.path.front() = '@';
        bound_.path.erase(std::find(bound_.path.begin(), bound_.path.end(), '\0'), bound_.path.end());
    }
}

ListeningSocket Listener::for_worker() const {
    const bool outlives_service = address_.kind == BindAddress::Kind::inherited_fd;
    if (bound_.kind == BindAddress::Kind::unix_path)
        return {socket_.get(), bound_.path, 0, outlives_service, only_for_};
    return {socket_.get(), bound_.host, bound_.port, outlives_service, only_for_};
}

namespace {

// What other settings ask for on the same port.
struct Twins {
    bool v4; // so [::]:8000, which takes IPv4 as well, leaves that alone
    bool v6; // so a name that means ::1 as well leaves that alone
};

Twins twins_of(const BindAddress& address, const std::vector<BindAddress>& addresses) {
    const auto is_there = [&](BindAddress::Kind kind) {
        return std::any_of(addresses.begin(), addresses.end(), [&](const BindAddress& other) {
            return other.kind == kind && other.port == address.port && !(other == address);
        });
    };
    return {is_there(BindAddress::Kind::tcp4), is_there(BindAddress::Kind::tcp6) && address.port != 0};
}

// Both on one port, also where the kernel chooses it.
Listeners open_name(const BindAddress& address, const Settings& settings, const Twins& twins) {
    std::vector<SocketAddress> addresses = resolve(address, settings.bind_retry);
    if (addresses.size() == 2 && twins.v6) addresses.pop_back();
    for (int attempt = 1;; ++attempt) {
        Listeners listeners;
        listeners.push_back(std::make_shared<Listener>(address, addresses.front(), settings, twins.v4));
        if (addresses.size() == 1) return listeners;
        reinterpret_cast<sockaddr_in6&>(addresses.back().storage).sin6_port = htons(listeners.front()->bound().port);
        try {
            listeners.push_back(std::make_shared<Listener>(address, addresses.back(), settings, true));
            return listeners;
        } catch (const BindError&) {
            // Another port may be free in both families.
            if (address.port != 0 || attempt == most_attempts) throw;
        }
    }
}

Listeners open_address(const BindAddress& address, const Settings& settings, const Twins& twins) {
    const bool is_tcp = address.kind == BindAddress::Kind::tcp4 || address.kind == BindAddress::Kind::tcp6;
    if (is_tcp) return open_name(address, settings, twins);
    return {std::make_shared<Listener>(address, settings)};
}

bool are_one_name(const Listener& one, const Listener& other) {
    return one.address() == other.address() && one.bound().kind != other.bound().kind &&
           one.bound().port == other.bound().port;
}

// Those that listen there already, out of the usable ones. Each serves for one: port 0 may be asked for twice.
Listeners take_present(Listeners& usable, const BindAddress& address) {
    Listeners taken;
    const auto is_it = [&](const auto& listener) {
        return taken.empty() ? listener->address() == address && listener->is_reachable()
                             : are_one_name(*listener, *taken.front());
    };
    for (auto found = usable.begin(); taken.size() < 2; usable.erase(found)) {
        found = std::find_if(usable.begin(), usable.end(), is_it);
        if (found == usable.end()) break;
        taken.push_back(*found);
    }
    return taken;
}

} // namespace

namespace {

Settings with_bind(const Settings& settings, const std::string& bind) {
    constexpr int few = 128;
    Settings own = settings;
    own.binds = {bind};
    own.backlog = few;
    own.reuse_port = false;
    return own;
}

// The master's own: with --user, the app must not steer a master that is root.
Listeners open_control_listener(const Settings& settings, const Listeners& present) {
    constexpr mode_t for_user = 0177;
    Settings own = with_bind(settings, "unix:" + settings.control_socket);
    own.umask = for_user;
    own.guard.owner.reset();
    Listeners listeners = open_listeners(own, present);
    for (const auto& listener : listeners) listener->admit_only(::geteuid());
    return listeners;
}

} // namespace

Listeners open_status_listeners(const Settings& settings, const Listeners& present) {
    constexpr mode_t for_user_and_group = 0117;
    Listeners listeners;
    if (!settings.status_bind.empty()) {
        Settings own = with_bind(settings, settings.status_bind);
        if (!own.umask) own.umask = for_user_and_group;
        listeners = open_listeners(own, present);
    }
    if (!settings.control_socket.empty()) {
        const Listeners control = open_control_listener(settings, present);
        listeners.insert(listeners.end(), control.begin(), control.end());
    }
    return listeners;
}

Listeners open_listeners(const Settings& settings, const Listeners& present) {
    std::vector<BindAddress> addresses;
    for (const auto& text : settings.binds) addresses.push_back(parse_bind(text));
    Listeners listeners;
    Listeners usable = present;
    for (const auto& address : addresses) {
        Listeners next = take_present(usable, address);
        if (next.empty()) next = open_address(address, settings, twins_of(address, addresses));
        listeners.insert(listeners.end(), next.begin(), next.end());
    }
    return listeners;
}

} // namespace cppcorn
