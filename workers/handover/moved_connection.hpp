// A connection that has come from another worker: all of it, and nobody else has it any more. Its record was checked
// (workers/handover/move_message.hpp).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "workers/handover/connection_record.hpp"

namespace cppcorn {

struct MovedConnection {
    ConnectionRecord record{};
    UniqueFd socket;
    UniqueFd body_file; // open if record.request has RequestState::body_is_in_file
    std::array<UniqueFd, RequestState::most_files> output_files;
    std::string bytes;   // of the sections, one behind the other
    UniqueFd bytes_file; // where they were, if they are many: open as long as somebody may have to take it from there

    // A view into `bytes`.
    std::string_view section(Section which) const {
        std::size_t begin = 0;
        for (int i = 0; i < static_cast<int>(which); ++i) begin += record.section_sizes[i];
        return std::string_view(bytes).substr(begin, record.section_sizes[static_cast<int>(which)]);
    }
};

} // namespace cppcorn
