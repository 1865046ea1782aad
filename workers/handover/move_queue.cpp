#include "workers/handover/move_queue.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/system_call.hpp"
#include "workers/handover/move_message.hpp"

namespace cppcorn {
namespace {

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

constexpr int queue_bytes = 4 << 20; // wanted; the system may allow less
constexpr int most_descriptors = MoveMessage::most_descriptors;

using Parts = std::array<std::string_view, section_count + 1>;

// The sections as they stand behind one another.
Parts parts_of(const ConnectionImage& image) {
    static_assert(static_cast<int>(Section::output) == 3 && static_cast<int>(Section::lines) == 4);
    const auto& sections = image.sections;
    return {sections[0], sections[1], sections[2], sections[3], image.more_output, sections[4]};
}

bool may_pass(int error) {
    constexpr int errors[] = {EAGAIN, ETOOMANYREFS, ENOBUFS, ENOMEM, EMFILE, ENFILE};
    return std::find(std::begin(errors), std::end(errors), error) != std::end(errors);
}

MoveQueue::Put refused(int error) {
    return may_pass(error) ? MoveQueue::Put::full : MoveQueue::Put::failed;
}

UniqueFd make_memory_file() {
    UniqueFd file(::memfd_create("moved", MFD_CLOEXEC | MFD_NOEXEC_SEAL));
    if (!file.is_open() && errno == EINVAL) file.reset(::memfd_create("moved", MFD_CLOEXEC)); // before Linux 6.3
    return file;
}

bool write_all(int file, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = retry_interrupted([&] { return ::write(file, bytes.data(), bytes.size()); });
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// False if it ends before, or cannot be read.
bool read_all(int file, char* bytes, std::size_t size) {
    std::size_t at = 0;
    while (at < size) {
        const ssize_t got =
            retry_interrupted([&] { return ::pread(file, bytes + at, size - at, static_cast<off_t>(at)); });
        if (got <= 0) return false;
        at += static_cast<std::size_t>(got);
    }
    return true;
}

// Of a message on its way.
struct Descriptors {
    std::array<int, most_descriptors> numbers{};
    std::size_t count = 0;
    void add(int number) { numbers[count++] = number; }
};

Descriptors descriptors_of(const ConnectionImage& image, const ConnectionRecord& record, int bytes_file) {
    Descriptors descriptors;
    descriptors.add(image.socket);
    if (record.request.has_body_file()) descriptors.add(image.body_file);
    for (int i = 0; i < record.request.file_count; ++i) descriptors.add(image.output_files[i]);
    if (bytes_file >= 0) descriptors.add(bytes_file);
    return descriptors;
}

MoveQueue::Put send(int socket, const ConnectionRecord& record, const Parts& parts, const Descriptors& descriptors,
                    mmsghdr& told) {
    std::array<iovec, 1 + std::tuple_size_v<Parts>> pieces{};
    std::size_t count = 0;
    pieces[count++] = {const_cast<ConnectionRecord*>(&record), sizeof record};
    for (const auto part : parts) {
        if (!part.empty()) pieces[count++] = {const_cast<char*>(part.data()), part.size()};
    }
    alignas(cmsghdr) char control[sizeof(MovePacket::control)]{};
    told = {};
    msghdr& message = told.msg_hdr;
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.count);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.count);
    std::memcpy(CMSG_DATA(header), descriptors.numbers.data(), sizeof(int) * descriptors.count);
    const int sent = retry_interrupted([&] { return ::sendmmsg(socket, &told, 1, MSG_DONTWAIT | MSG_NOSIGNAL); });
    return sent >= 0 ? MoveQueue::Put::sent : refused(errno);
}

// What one call of recvmsg has brought.
struct Received {
    std::size_t size = 0;
    bool is_cut = false;
    std::array<UniqueFd, most_descriptors> descriptors;
    int descriptor_count = 0;
};

void take_descriptors(const MovePacket& packet, Received& received) {
    const PacketDescriptors descriptors = descriptors_of(packet);
    for (int i = 0; i < descriptors.count; ++i) {
        UniqueFd descriptor(descriptors.numbers[static_cast<std::size_t>(i)]);
        if (received.descriptor_count < most_descriptors) {
            received.descriptors[received.descriptor_count++] = std::move(descriptor);
        } else {
            received.is_cut = true;
        }
    }
}

// False: there is none.
bool receive(int socket, MovePacket& packet, Received& received) {
    packet.clear();
    iovec piece{packet.bytes, sizeof packet.bytes};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = packet.control;
    message.msg_controllen = sizeof packet.control;
    const ssize_t got = retry_interrupted([&] { return ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC); });
    if (got <= 0) return false;
    received.size = static_cast<std::size_t>(got);
    received.is_cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    take_descriptors(packet, received);
    return true;
}

bool is_stream_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

bool make_nonblocking(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    return flags >= 0 && ((flags & O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

bool is_file(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

const char* read_bytes(const MoveMessage& message, const UniqueFd& file, std::string& bytes) {
    if (!message.bytes_in_file) {
        bytes = message.bytes;
        return nullptr;
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return "its bytes are in no file";
    if (static_cast<std::uint64_t>(status.st_size) != message.size()) return "its sizes do not add up";
    bytes.resize(message.size());
    return read_all(file.get(), bytes.data(), bytes.size()) ? nullptr : "its bytes cannot be read";
}

// Null, or why it is dropped.
const char* unpack(const MovePacket& packet, Received& received, MovedConnection& moved) {
    if (received.is_cut) return "it was cut on its way";
    MoveMessage message;
    if (const char* const fault = message.read({packet.bytes, received.size}, received.descriptor_count)) return fault;
    moved.record = message.record;
    UniqueFd* next = received.descriptors.data();
    moved.socket = std::move(*next++);
    if (message.record.request.has_body_file()) moved.body_file = std::move(*next++);
    for (int i = 0; i < message.record.request.file_count; ++i) moved.output_files[i] = std::move(*next++);
    if (message.bytes_in_file) moved.bytes_file = std::move(*next);
    if (!is_stream_socket(moved.socket.get()) || !make_nonblocking(moved.socket.get())) return "it has no socket";
    if (moved.body_file.is_open() && !is_file(moved.body_file.get())) return "its body is in no file";
    return read_bytes(message, moved.bytes_file, moved.bytes);
}

} // namespace

MoveQueue MoveQueue::make() {
    int ends[2];
    check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), "cannot make a socket pair");
    MoveQueue queue{ServerFd(ends[0]), ServerFd(ends[1])};
    // Beyond what is allowed to all only with privileges.
    if (::setsockopt(queue.put_fd(), SOL_SOCKET, SO_SNDBUFFORCE, &queue_bytes, sizeof queue_bytes) != 0)
        ::setsockopt(queue.put_fd(), SOL_SOCKET, SO_SNDBUF, &queue_bytes, sizeof queue_bytes);
    return queue;
}

MoveQueue::Put MoveQueue::put(const ConnectionImage& image, std::uint32_t version) const {
    mmsghdr told;
    return put(image, told, version);
}

MoveQueue::Put MoveQueue::put(const ConnectionImage& image, mmsghdr& told, std::uint32_t version) const {
    if (image.record.request.file_count > RequestState::most_files) return Put::failed;
    const Parts parts = parts_of(image);
    std::size_t size = 0;
    for (const auto part : parts) size += part.size();
    if (size > MoveMessage::most_bytes) return Put::failed;
    const ConnectionRecord record = record_to_write(image, version);
    if (size <= MoveMessage::most_inline) return send(put_fd(), record, parts, descriptors_of(image, record, -1), told);
    const UniqueFd file = make_memory_file();
    if (!file.is_open()) return refused(errno);
    for (const auto part : parts) {
        if (!write_all(file.get(), part)) return refused(errno);
    }
    return send(put_fd(), record, {}, descriptors_of(image, record, file.get()), told);
}

MoveQueue::Put MoveQueue::put(const MoveMessage& message, std::span<const int> descriptors) const {
    Descriptors all;
    for (const int each : descriptors.first(std::min<std::size_t>(descriptors.size(), most_descriptors))) all.add(each);
    mmsghdr told;
    return send(put_fd(), message.record, {message.bytes}, all, told);
}

std::optional<MovedConnection> MoveQueue::take(MovePacket& packet) const {
    for (;;) {
        Received received;
        if (!receive(take_fd(), packet, received)) return std::nullopt;
        MovedConnection moved;
        const char* const fault = unpack(packet, received, moved);
        if (fault == nullptr) return moved;
        spdlog::warn("A connection from another worker is dropped: {}", fault);
    }
}

std::optional<MovedConnection> MoveQueue::take() const {
    MovePacket packet;
    return take(packet);
}

} // namespace cppcorn
