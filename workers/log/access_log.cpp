#include "workers/log/access_log.hpp"

#include <cstddef>
#include <system_error>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "workers/log/access_format.hpp"
#include "workers/log/log_file.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t batch = std::size_t{64} << 10; // bytes that are gathered for one write
constexpr std::size_t usual_line = 4096;

} // namespace

AccessLog::AccessLog(const Settings& settings) {
    if (settings.access_log.empty()) return;
    format_ = std::make_unique<AccessFormat>(settings.access_log_format);
    file_ = std::make_unique<LogFile>(settings.access_log, STDOUT_FILENO);
    lines_.reserve(batch + usual_line);
}

AccessLog::~AccessLog() {
    flush();
}

bool AccessLog::wants_response_fields() const {
    return active() && format_->wants_response_fields();
}

void AccessLog::write(const AccessRecord& record) {
    if (!active()) return;
    const std::size_t before = lines_.size();
    format_->append(lines_, record);
    if (lines_.size() < batch) return;
    // The line that overflows the batch opens the next one.
    file_->write(std::string_view(lines_).substr(0, before == 0 ? lines_.size() : before));
    lines_.erase(0, before == 0 ? lines_.size() : before);
}

void AccessLog::flush() {
    if (!active() || lines_.empty()) return;
    file_->write(lines_);
    lines_.clear();
}

void AccessLog::reopen() {
    if (!active()) return;
    flush();
    try {
        *file_ = LogFile(file_->path(), file_->standard_fd());
    } catch (const std::system_error& error) {
        spdlog::error("{}; going on with the old one", error.what());
    }
}

} // namespace cppcorn
