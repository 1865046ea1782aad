#include "workers/handover/mourning.hpp"

#include <algorithm>
#include <ctime>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "workers/handover/client_check.hpp"
#include "workers/handover/desk_image.hpp"
#include "workers/handover/last_answer.hpp"
#include "workers/handover/seat_image.hpp"
#include "workers/handover/socket_counts.hpp"
#include "workers/handover/watched_list.hpp"

namespace cppcorn {
namespace {

// Descriptors of connections that the kernel knows of. Only pages that are touched cost anything.
using DescriptorSet = std::array<std::uint64_t, Mourning::most_seats / 64>;
DescriptorSet watched{};
DescriptorSet kept{}; // and what else is to stay open
std::array<std::uint32_t, Mourning::most_seats> watched_generation{};

bool has(const DescriptorSet& set, int fd) {
    if (fd < 0 || fd >= Mourning::most_seats) return false;
    return (set[static_cast<std::size_t>(fd) / 64] >> (static_cast<unsigned>(fd) % 64) & 1U) != 0;
}

void add(DescriptorSet& set, int fd) {
    if (fd < 0 || fd >= Mourning::most_seats) return;
    set[static_cast<std::size_t>(fd) / 64] |= std::uint64_t{1} << (static_cast<unsigned>(fd) % 64);
}

void keep(int fd) {
    add(kept, fd);
}

void keep_files(const ConnectionImage& image) {
    keep(image.body_file);
    for (const int file : image.output_files) keep(file);
}

void note_watched(void*, int fd, std::uint64_t tag) {
    const auto generation = static_cast<std::uint32_t>(tag >> 32);
    if (fd < 0 || fd >= Mourning::most_seats || generation == 0) return;
    add(watched, fd);
    watched_generation[static_cast<std::size_t>(fd)] = generation;
}

// Bytes of the arena, or none where the range does not lie in it.
std::string_view bytes_of(const WorkerMemory& memory, ArenaRange range) {
    const std::size_t size = memory.arena().size();
    if (range.offset > size || range.size > size - range.offset) return {};
    return {memory.arena().at(range.offset), range.size};
}

bool is_seat(int fd) {
    return has(watched, fd);
}

} // namespace

void Mourning::serve_clients(bool is_dead) {
    if (is_served_) return;
    is_served_ = true;
    write_log_lines();
    for_each_watched(epoll_, note_watched, nullptr);
    const DeskPicture picture = memory_.desk().picture();
    const bool is_anybody = picture.phase != DeskPhase::nobody;
    const bool is_served = is_anybody && is_clients_own(picture); // before all is closed
    if (!is_anybody) arrival_.find(memory_, is_seat);
    if (is_dead) close_all_else(picture);
    if (is_served) serve_desk(picture);
    move_arrival();
    move_others();
}

// Of one that is not watched yet, the listener may not be just now either: a worker without room listens to nobody.
bool Mourning::is_clients_own(const DeskPicture& picture) const {
    ConnectionRecord record;
    return is_clients(epoll_, picture) ||
           (!is_seat(picture.fd) && is_connection(picture.fd) && tell_newcomer_(picture.fd, record));
}

// But for connections and what is to be sent to them, and what is needed to see to them.
void Mourning::close_all_else(const DeskPicture& picture) {
    kept = watched;
    for (const int fd : {queue_.put_fd(), leash_, picture.fd}) keep(fd);
    for (const int fd : arrival_.descriptors()) keep(fd);
    ConnectionImage image;
    if (image_of_picture(memory_, picture, image)) keep_files(image);
    const int count = std::min(memory_.seat_count(), most_seats);
    for (int fd = 0; fd < count; ++fd) {
        if (is_seat(fd) && image_of(memory_, fd, image)) keep_files(image);
    }
    int first = STDERR_FILENO + 1;
    for (int fd = 0; fd < most_seats; ++fd) {
        if (fd % 64 == 0 && kept[static_cast<std::size_t>(fd) / 64] == 0) {
            fd += 63;
            continue;
        }
        if (fd < first || !has(kept, fd)) continue;
        if (fd > first) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(fd) - 1, 0);
        first = fd + 1;
    }
    ::close_range(static_cast<unsigned>(first), ~0U, 0);
}

// The lines of requests that were answered in the worker's last turn.
void Mourning::write_log_lines() {
    WorkerNotes& notes = memory_.notes();
    const std::uint64_t lines = notes.log_lines.exchange(0);
    const int fd = WorkerNotes::descriptor_of(notes.log_fd);
    const auto text = bytes_of(memory_, {static_cast<std::uint32_t>(lines >> 32), static_cast<std::uint32_t>(lines)});
    if (!text.empty() && log_.is(fd)) write_lines(fd, text);
}

void Mourning::serve_desk(const DeskPicture& picture) {
    desk_fd_ = picture.fd;
    switch (picture.phase) {
        case DeskPhase::in_app:
            return answer_from_desk(picture);
        case DeskPhase::reading:
        case DeskPhase::answered:
            return move_from_desk(picture);
        case DeskPhase::begun: // the client sees that its answer is cut
        case DeskPhase::nobody:
            break;
    }
    ::close(picture.fd);
}

// Of a unix socket, the worker's own notes tell: its last call on that connection, or none since the picture was made.
std::optional<SocketCounts> Mourning::counts_on_desk(const DeskPicture& picture) const {
    if (const auto counts = counts_of(picture.fd)) return counts;
    const Seat* const seat = memory_.seat(picture.fd);
    if (seat == nullptr || (seat->flags & Seat::is_unix) == 0) return std::nullopt;
    const CallNote note = memory_.notes().calls.last();
    const bool is_of_it = note.socket == picture.fd + 1;
    SocketCounts counts{is_of_it ? note.received : picture.received, is_of_it ? note.sent : picture.sent};
    counts.sent += memory_.desk().sent_for_worker();
    if (!is_of_it || note.kind == CallNote::Kind::none) return counts;
    if (note.kind == CallNote::Kind::receives) counts.received += note.call.msg_len;
    if (note.kind == CallNote::Kind::sends) counts.sent += note.call.msg_len;
    return note.kind == CallNote::Kind::unknown ? std::nullopt : std::optional(counts);
}

// As it was when the picture was made, and as the kernel knows it to have gone on since.
bool Mourning::image_on_desk(const DeskPicture& picture, ConnectionImage& image) {
    if (!image_of_picture(memory_, picture, image)) return false;
    const auto counts = counts_on_desk(picture);
    // Without such counts, a call that the worker may have died in leaves it open what the client has got or sent.
    if (!counts) return picture.phase == DeskPhase::in_app || (image.sections[int(Section::output)].empty());
    const std::uint64_t read = counts->received - std::min(counts->received, picture.received);
    const std::uint64_t sent = counts->sent - std::min(counts->sent, picture.sent);
    return bring_up_to_date(memory_, picture, read, sent, image);
}

void Mourning::move_from_desk(const DeskPicture& picture) {
    ConnectionImage image;
    if (image_on_desk(picture, image)) {
        if (picture.phase == DeskPhase::answered) { // just now
            image.record.began = SteadyClock::now().time_since_epoch().count();
            image.record.passed = 0;
        }
        move(image);
    }
    ::close(picture.fd);
}

void Mourning::answer_from_desk(const DeskPicture& picture) {
    const std::int64_t deadline = memory_.desk().deadline();
    const bool overran = deadline != 0 && SteadyClock::now().time_since_epoch().count() >= deadline;
    const std::string_view id = bytes_of(memory_, picture.request_id);
    const LastAnswer answer(overran, picture.is_head_request, id, std::time(nullptr));
    ConnectionImage image;
    if (image_on_desk(picture, image)) {
        end_with(answer.text(), image);
        send_output(image);
        move(image);
    }
    ::close(picture.fd);
}

void Mourning::move_arrival() {
    if (arrival_.descriptors().empty()) return;
    put([&] { return arrival_.put(queue_); });
    for (const int fd : arrival_.descriptors()) ::close(fd);
}

void Mourning::move_others() {
    const WorkerNotes& notes = memory_.notes();
    const int count = std::min(memory_.seat_count(), most_seats);
    for (int fd = 0; fd < count; ++fd) {
        if (fd % 64 == 0 && watched[static_cast<std::size_t>(fd) / 64] == 0) {
            fd += 63;
            continue;
        }
        if (!is_seat(fd) || fd == desk_fd_) continue;
        const Seat* seat = memory_.seat(fd);
        ConnectionImage image;
        const bool is_same = seat->generation.load() == watched_generation[static_cast<std::size_t>(fd)];
        const bool has_left = notes.leaving.load() == fd + 1 && notes.leave_message.msg_len != 0;
        if (is_same && !has_left && is_connection(fd) && image_of(memory_, fd, image)) move(image);
        ::close(fd);
    }
}

bool Mourning::move(const ConnectionImage& image) {
    return put([&] { return queue_.put(image); });
}

// True once it is on its way; false if it cannot go on anywhere.
template <class Put>
bool Mourning::put(const Put& put_once) {
    for (;;) {
        if (master_is_gone_) return false;
        switch (put_once()) {
            case MoveQueue::Put::sent:
                moved_.add_shared();
                return true;
            case MoveQueue::Put::failed:
                return false;
            case MoveQueue::Put::full:
                if (!wait_for_room()) return false;
        }
    }
}

// Until the workers, or those that come in their place, have taken some.
bool Mourning::wait_for_room() {
    constexpr int look_again_ms = 5; // what is in flight, the kernel limits without telling when there is room
    pollfd entries[] = {{leash_, POLLIN, 0}};
    ::poll(entries, 1, look_again_ms);
    master_is_gone_ = entries[0].revents != 0;
    return !master_is_gone_;
}

} // namespace cppcorn
