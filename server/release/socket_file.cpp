#include "server/release/socket_file.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system_call.hpp"

namespace cppcorn {
namespace {

sockaddr_un address_of(const std::string& path, const std::string& shown) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::runtime_error("cannot bind unix:" + shown + ": the path is longer than " +
                                 std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

} // namespace

SocketFile::SocketFile(std::string path, Links links)
    : path_(std::move(path)), is_guarded_(links == Links::roots_only) {
    address_of(path_, path_); // refuses one that is too long, however it is bound
    HeldPath place = hold_path(path_, links, "cannot bind unix:" + path_);
    directory_ = std::move(place.directory);
    name_ = std::move(place.name);
}

SocketFile::SocketFile(std::string path, Links links, std::uint64_t number)
    : path_(std::move(path)), is_guarded_(links == Links::roots_only), number_(number) {
    try {
        HeldPath place = hold_path(path_, links, path_);
        directory_ = std::move(place.directory);
        name_ = std::move(place.name);
    } catch (const std::system_error&) {
        return;
    }
}

// There is no bindat() or connectat(): what must happen in the directory that was reached, happens with that as the
// current one. Else the path stands as it is in the socket's address, where tools such as ss show it.
template <class Call>
int SocketFile::at_place(Call call) const {
    const sockaddr_un address = address_of(is_guarded_ ? name_ : path_, path_);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
    if (!is_guarded_) return call(generic, sizeof address);
    const UniqueFd before(check(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), "cannot open the directory ."));
    check(::fchdir(directory_.get()), "cannot bind unix:", path_);
    const int result = call(generic, sizeof address);
    const int error = errno;
    check(::fchdir(before.get()), "cannot go back to the directory of --chdir");
    errno = error;
    return result;
}

bool SocketFile::make_way() {
    const auto status = status_at(directory_.get(), name_);
    if (!status) return true;
    if (!S_ISSOCK(status->st_mode)) {
        throw std::runtime_error("cannot bind unix:" + path_ + ": it exists and is not a socket");
    }
    const UniqueFd probe(
        check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "cannot make a socket"));
    const int result =
        at_place([&](const sockaddr* address, socklen_t size) { return ::connect(probe.get(), address, size); });
    if (result == 0 || errno == EAGAIN) return false;
    ::unlinkat(directory_.get(), name_.c_str(), 0);
    return true;
}

int SocketFile::bind(int socket, mode_t umask) {
    const mode_t saved = ::umask(umask);
    const int result = at_place([&](const sockaddr* address, socklen_t size) { return ::bind(socket, address, size); });
    const int error = errno;
    ::umask(saved);
    const auto status = status_at(directory_.get(), name_);
    if (result == 0 && status) number_ = status->st_ino;
    errno = error;
    return result;
}

// What has the name by now may be something else that the directory's owner has put there.
void SocketFile::give(FileOwner owner) const {
    const std::string what = "cannot bind unix:" + path_;
    const UniqueFd file(check(::openat(directory_.get(), name_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC), what));
    struct stat status {};
    check(::fstat(file.get(), &status), what);
    const bool is_ours = S_ISSOCK(status.st_mode) && status.st_ino == number_ && status.st_uid == ::geteuid() &&
                         is_only_name_of(directory_.get(), name_, file.get());
    if (!is_ours) throw_system_error(what + ", as somebody has replaced it", EPERM);
    check(::fchownat(file.get(), "", owner.uid, owner.gid, AT_EMPTY_PATH), what);
}

bool SocketFile::is_reachable() const {
    struct stat status {};
    return number_ == 0 || (::lstat(path_.c_str(), &status) == 0 && status.st_ino == number_);
}

void SocketFile::remove() {
    if (number_ == 0 || !directory_.is_open()) return;
    const auto status = status_at(directory_.get(), name_);
    if (status && status->st_ino == number_) ::unlinkat(directory_.get(), name_.c_str(), 0);
}

} // namespace cppcorn
