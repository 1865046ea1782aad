#include "workers/handover/move_message.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace cppcorn {
namespace {

constexpr std::uint8_t known_seat_flags = Seat::trusted | Seat::may_send_preamble | Seat::answered_any | Seat::is_unix;
constexpr std::uint8_t known_request_flags = RequestState::input_held | RequestState::continue_wanted |
                                             RequestState::body_complete | RequestState::ends_with_close |
                                             RequestState::head_is_here | RequestState::body_is_in_file;

template <std::size_t size>
bool is_text(const char (&text)[size]) {
    return std::memchr(text, '\0', size) != nullptr;
}

bool is_address(const char (&text)[46]) {
    unsigned char address[sizeof(in6_addr)];
    return is_text(text) &&
           (text[0] == '\0' || ::inet_pton(AF_INET, text, address) == 1 || ::inet_pton(AF_INET6, text, address) == 1);
}

std::size_t total_size(const std::uint32_t (&sizes)[section_count]) {
    std::size_t size = 0;
    for (const auto each : sizes) size += each;
    return size;
}

const char* fault_of_files(const ConnectionRecord& record) {
    const RequestState& request = record.request;
    if (request.file_count > RequestState::most_files) return "it has too many files";
    int descriptor = 1;
    if (record.request.has_body_file() && request.body_fd != descriptor++) return "its body is in none of its files";
    std::uint32_t before = 0;
    for (int i = 0; i < request.file_count; ++i) {
        const OutputFile& file = request.files[i];
        const bool is_in_order =
            file.before >= before && file.before <= record.section_sizes[static_cast<int>(Section::output)];
        before = file.before;
        const bool has_size =
            file.offset >= 0 && file.left > 0 && file.left <= static_cast<std::uint64_t>(INT64_MAX - file.offset);
        if (!is_in_order || !has_size || file.fd != descriptor++) return "its files are in disorder";
    }
    return nullptr;
}

} // namespace

const char* fault_of(const ConnectionRecord& record) {
    if (record.version != ConnectionRecord::current_version) return "its version is not known";
    if (record.size != sizeof record) return "its size is another";
    if (record.phase == SeatPhase::empty || record.phase > SeatPhase::lingering) return "its phase is not known";
    if ((record.flags & ~known_seat_flags) != 0 || (record.request.flags & ~known_request_flags) != 0)
        return "its flags are not known";
    if (!is_address(record.address) || !is_text(record.listener.server_name)) return "its names are broken";
    return fault_of_files(record);
}

std::size_t MoveMessage::size() const {
    return total_size(record.section_sizes);
}

int MoveMessage::descriptor_count() const {
    return 1 + (record.request.has_body_file() ? 1 : 0) + record.request.file_count + (bytes_in_file ? 1 : 0);
}

const char* MoveMessage::read(std::string_view packet, int descriptors) {
    // An older or newer one may be shorter than this version's.
    if (packet.size() < sizeof record) return "it is too short";
    std::memcpy(&record, packet.data(), sizeof record);
    if (const char* const fault = fault_of(record)) return fault;
    bytes = packet.substr(sizeof record);
    bytes_in_file = size() > most_inline;
    if (size() > most_bytes || bytes.size() != (bytes_in_file ? 0 : size())) return "its sizes do not add up";
    return descriptors == descriptor_count() ? nullptr : "it has another number of descriptors";
}

ConnectionRecord record_to_write(const ConnectionImage& image, std::uint32_t version) {
    ConnectionRecord record = image.record;
    // There is one version yet.
    record.version = std::clamp(version, ConnectionRecord::current_version, ConnectionRecord::current_version);
    record.size = sizeof record;
    for (int i = 0; i < section_count; ++i) {
        record.section_sizes[i] = static_cast<std::uint32_t>(image.sections[i].size());
    }
    record.section_sizes[static_cast<int>(Section::output)] += static_cast<std::uint32_t>(image.more_output.size());
    int descriptor = 1;
    record.request.body_fd = record.request.has_body_file() ? descriptor++ : -1;
    for (int i = 0; i < std::min<int>(record.request.file_count, RequestState::most_files); ++i) {
        record.request.files[i].fd = descriptor++;
    }
    return record;
}

} // namespace cppcorn
