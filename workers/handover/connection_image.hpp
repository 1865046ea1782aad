// A connection as it goes from one process to another: the record, its bytes, and its descriptors. Views and numbers
// only; whoever makes one says how long they hold. No memory is allocated for it, so that an understudy can make one.
#pragma once

#include <array>
#include <string_view>

#include "workers/handover/connection_record.hpp"

namespace cppcorn {

struct ConnectionImage {
    ConnectionRecord record{};
    int socket = -1;
    int body_file = -1; // if record.request has RequestState::body_is_in_file
    std::array<int, RequestState::most_files> output_files{-1, -1};
    std::array<std::string_view, section_count> sections{}; // by Section; sizes as in the record
    // Output may be in two runs, where an answer of the understudy's own stands behind others.
    std::string_view more_output;
};

} // namespace cppcorn
