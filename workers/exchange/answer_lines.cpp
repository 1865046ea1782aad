#include "workers/exchange/answer_lines.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace cppcorn {

void AnswerLines::settle(AccessLog& log) {
    if (!held_.empty()) {
        log.write_lines(held_);
        Bytes().swap(held_); // with its memory
    }
    dues_.clear();
    has_new_ = false;
}

void AnswerLines::note_waiting(AccessLog& log) {
    if (has_new_) held_ += log.take_back(written_from_);
    has_new_ = false;
}

void AnswerLines::note_cut(AccessLog& log, std::uint64_t sent) {
    note_waiting(log);
    // Lines that the log has written to its file already are missing at the begin.
    const auto count = static_cast<std::size_t>(std::count(held_.begin(), held_.end(), '\n'));
    Bytes lines;
    std::size_t at = 0;
    for (std::size_t i = dues_.size() - std::min(count, dues_.size()); i < dues_.size(); ++i) {
        const std::size_t end = held_.find('\n', at) + 1;
        std::string line(std::string_view(held_).substr(at, end - at));
        if (dues_[i] > sent) log.mark_cut(line);
        lines += line;
        at = end;
    }
    held_ = std::move(lines);
    settle(log);
}

void AnswerLines::resume(std::string_view lines) {
    held_ = lines;
    dues_.assign(static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n')), UINT64_MAX);
}

void AnswerLines::forget() {
    Bytes().swap(held_);
    dues_.clear();
    has_new_ = false;
}

} // namespace cppcorn
