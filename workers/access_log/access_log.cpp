#include "workers/access_log/access_log.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <system_error>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/log/log_file.hpp"
#include "workers/access_log/access_format.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t batch = std::size_t{64} << 10; // bytes that are gathered for one write
constexpr std::size_t usual_line = 4096;

} // namespace

AccessLog::AccessLog(const AccessLogOptions& options) {
    if (options.path.empty()) return;
    format_ = std::make_unique<AccessFormat>(options.format);
    wants_response_fields_ = format_->wants_response_fields();
    wants_duration_ = format_->wants_duration();
    file_ =
        std::make_unique<LogFile>(options.path, STDOUT_FILENO,
                                  options.stdout_stays ? StandardStream::stays : StandardStream::moves, options.guard);
    lines_.reserve(batch + usual_line);
}

AccessLog::~AccessLog() {
    flush();
}

int AccessLog::fd() const {
    return file_ != nullptr ? file_->fd() : -1;
}

std::string AccessLog::path() const {
    return file_ != nullptr ? file_->path() : std::string();
}

void AccessLog::write(const AccessRecord& record) {
    if (!active()) return;
    const std::size_t before = lines_.size();
    format_->append(lines_, record);
    if (shadow_.lines != nullptr) show_lines(before);
    if (lines_.size() < batch) return;
    // The line that overflows the batch opens the next one.
    put(std::string_view(lines_).substr(0, before == 0 ? lines_.size() : before));
    lines_.erase(0, before == 0 ? lines_.size() : before);
    show_lines(0);
}

void AccessLog::flush() {
    if (!active() || lines_.empty()) return;
    put(lines_);
    lines_.clear();
    show_lines(0);
}

void AccessLog::cast_shadow(LogShadow shadow) {
    if (!active()) return;
    shadow_ = shadow;
    shadow_.fd->store(fd() + 1, std::memory_order_relaxed);
}

// Those from that position on are new.
void AccessLog::show_lines(std::size_t from) {
    if (shadow_.lines == nullptr) return;
    const std::size_t end = std::min(lines_.size(), LogShadow::room);
    if (from < end) std::memcpy(shadow_.lines + from, lines_.data() + from, end - from);
    const std::uint64_t range = end == 0 ? 0 : std::uint64_t{shadow_.offset} << 32 | end;
    shadow_.range->store(range, std::memory_order_release);
}

std::string AccessLog::take_back(std::uint64_t position) {
    if (position < put_size_) position = put_size_;
    const std::size_t at = std::min(static_cast<std::size_t>(position - put_size_), lines_.size());
    std::string taken = lines_.substr(at);
    lines_.resize(at);
    show_lines(at);
    return taken;
}

void AccessLog::write_lines(std::string_view lines) {
    if (!active()) return;
    lines_ += lines;
    show_lines(lines_.size() - lines.size());
    if (lines_.size() >= batch) flush();
}

void AccessLog::mark_cut(std::string& line) const {
    if (active()) format_->mark_cut(line);
}

void AccessLog::put(std::string_view lines) {
    put_size_ += lines.size();
    const LogNews news = file_->write(lines);
    if (news.kind == LogNews::Kind::none) return;
    const std::string name = file_->path() == "-" ? "on stdout" : file_->path();
    if (news.kind == LogNews::Kind::fails) {
        spdlog::error("Cannot write the access log {}: {}; lines are lost", name, std::strerror(news.error));
    } else {
        spdlog::warn("The access log {} can be written again; {} lines were lost", name, news.lost);
    }
}

void AccessLog::reopen() {
    if (!active()) return;
    flush();
    try {
        file_->reopen();
        if (shadow_.fd != nullptr) shadow_.fd->store(fd() + 1, std::memory_order_relaxed);
    } catch (const std::system_error& error) {
        spdlog::error("{}; going on with the old one", error.what());
    }
}

} // namespace cppcorn
