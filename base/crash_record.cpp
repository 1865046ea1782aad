#include "base/crash_record.hpp"

#include <algorithm>
#include <iterator>

namespace cppcorn {

CrashRecord checked(const CrashRecord& record) {
    if (record.version != CrashRecord::current_version) return {};
    CrashRecord copy = record;
    copy.frame_count = std::min<std::uint32_t>(copy.frame_count, CrashRecord::max_frames);
    copy.module_count = std::min<std::uint32_t>(copy.module_count, CrashRecord::max_modules);
    *std::prev(std::end(copy.thread_name)) = '\0';
    *std::prev(std::end(copy.exception)) = '\0';
    for (CrashModule& module : copy.modules) {
        *std::prev(std::end(module.path)) = '\0';
        module.build_id_size = std::min<std::uint8_t>(module.build_id_size, sizeof module.build_id);
    }
    for (CrashFrame& frame : copy.frames) {
        if (frame.module < 0 || frame.module >= static_cast<std::int32_t>(copy.module_count)) frame.module = -1;
    }
    return copy;
}

} // namespace cppcorn
