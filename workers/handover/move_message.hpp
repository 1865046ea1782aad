// A connection as a message from worker to worker: one packet, with descriptors.
//
//     packet        ConnectionRecord, then the bytes of its sections, if they are few
//     descriptors   the client's socket; the request's body, if it is in a file; the files of the output; and a file with
//                   the sections' bytes, if they are many
//
// Whoever reads one takes nothing for granted: it may come of a worker whose memory is broken, or of another version of
// this program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "workers/handover/connection_image.hpp"

namespace cppcorn {

struct MoveMessage {
    static constexpr std::size_t most_inline = 4096;                // bytes of all sections
    static constexpr std::size_t most_bytes = std::size_t{1} << 28; // the same, in a file
    static constexpr std::size_t largest_packet = sizeof(ConnectionRecord) + most_inline;
    static constexpr int most_descriptors = 1 + 1 + RequestState::most_files + 1;

    ConnectionRecord record{};
    std::string_view bytes; // of the sections, within the packet
    bool bytes_in_file = false;

    std::size_t size() const; // of all sections
    int descriptor_count() const;

    // Reads a packet that came with so many descriptors. Null, or what is wrong with it. Views into `packet`.
    const char* read(std::string_view packet, int descriptors);
};

// The record as it is to be written, of the sizes and files that the image has. `version`: that the reader knows; the
// oldest one that is still written if it is older than all. Async-signal-safe.
ConnectionRecord record_to_write(const ConnectionImage& image, std::uint32_t version);

// What is wrong with a record, as far as it is told by itself; null: nothing. Async-signal-safe.
const char* fault_of(const ConnectionRecord& record);

} // namespace cppcorn
