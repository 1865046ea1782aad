#include "workers/handover/desk_image.hpp"

#include <algorithm>
#include <iterator>

#include <sys/socket.h>
#include <sys/uio.h>

#include "workers/handover/move_message.hpp"
#include "workers/handover/seat_image.hpp"

namespace cppcorn {
namespace {

std::string_view& section(ConnectionImage& image, Section which) {
    return image.sections[static_cast<std::size_t>(which)];
}

void take_off(std::string_view& bytes, std::uint64_t& count) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(count, bytes.size()));
    bytes.remove_prefix(taken);
    count -= taken;
}

// What was sent of the output leaves it. False if there was not so much.
bool drop_sent(ConnectionImage& image, std::uint64_t count) {
    RequestState& state = image.record.request;
    std::string_view& bytes = section(image, Section::output);
    while (count > 0 && state.file_count > 0) {
        OutputFile& file = state.files[0];
        const std::uint64_t before = std::min<std::uint64_t>(count, file.before);
        bytes.remove_prefix(static_cast<std::size_t>(before));
        for (OutputFile& each : state.files) each.before -= static_cast<std::uint32_t>(before);
        count -= before;
        const std::uint64_t of_file = std::min(count, file.left);
        file.offset += static_cast<std::int64_t>(of_file);
        file.left -= of_file;
        count -= of_file;
        if (file.left > 0) return count == 0;
        // What stands behind the first file is before the second one now.
        std::copy(std::begin(state.files) + 1, std::end(state.files), std::begin(state.files));
        std::copy(image.output_files.begin() + 1, image.output_files.end(), image.output_files.begin());
        --state.file_count;
    }
    take_off(bytes, count);
    return count == 0;
}

} // namespace

bool image_of_picture(const WorkerMemory& memory, const DeskPicture& picture, ConnectionImage& image) {
    const Seat* const seat = memory.seat(picture.fd);
    const bool is_seated = seat != nullptr && seat->generation.load() == picture.generation;
    if (!is_seated || !image_of(memory, picture.fd, picture.parked, image)) return false;
    RequestState& request = image.record.request;
    std::string_view output;
    if (!read_range(memory, picture.input, section(image, Section::input))) return false;
    if (!read_range(memory, picture.output, output)) return false;
    if (picture.parked == 0 || !output.empty()) section(image, Section::output) = output;
    if (picture.phase == DeskPhase::answered && picture.parked == 0) {
        request.stage = Stage::answered;
        request.ending = picture.ending;
        image.record.phase = SeatPhase::idle; // the seat may still say what it was before, the first request among it
        image.record.flags |= Seat::answered_any;
    }
    image.record.received = picture.received;
    image.record.sent = picture.sent;
    // Its files may stand in an output that it has not got.
    return fault_of(record_to_write(image, ConnectionRecord::current_version)) == nullptr;
}

bool bring_up_to_date(const WorkerMemory& memory, const DeskPicture& picture, std::uint64_t read, std::uint64_t sent,
                      ConnectionImage& image) {
    if (read > picture.input_room || read > UINT32_MAX - picture.input.size) return false;
    const ArenaRange all{picture.input.offset, picture.input.size + static_cast<std::uint32_t>(read)};
    std::string_view& input = section(image, Section::input);
    if (!read_range(memory, all, input)) return false;
    if (!input.empty()) image.record.request.flags |= RequestState::input_held;
    image.record.received += read;
    image.record.sent += sent;
    if (!drop_sent(image, sent)) return false;
    const bool is_writing = !section(image, Section::output).empty() || image.record.request.file_count > 0;
    if (is_writing) image.record.phase = SeatPhase::writing;
    return true;
}

void end_with(std::string_view answer, ConnectionImage& image) {
    image.record.request = {};
    image.record.request.stage = Stage::answered;
    image.record.request.ending = Ending::linger;
    image.record.phase = SeatPhase::writing;
    image.body_file = -1;
    image.output_files = {-1, -1};
    section(image, Section::head) = section(image, Section::body) = section(image, Section::input) = {};
    image.more_output = answer;
}

void send_output(ConnectionImage& image) {
    std::string_view& output = section(image, Section::output);
    iovec parts[2] = {{const_cast<char*>(output.data()), output.size()},
                      {const_cast<char*>(image.more_output.data()), image.more_output.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = std::size(parts);
    const ssize_t sent = ::sendmsg(image.socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent <= 0) return;
    auto left = static_cast<std::uint64_t>(sent);
    image.record.sent += left;
    take_off(output, left);
    take_off(image.more_output, left);
    if (!output.empty() || !image.more_output.empty()) return;
    ::shutdown(image.socket, SHUT_WR);
    image.record.phase = SeatPhase::lingering;
}

} // namespace cppcorn
