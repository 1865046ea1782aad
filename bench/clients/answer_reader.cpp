#include "bench/clients/answer_reader.hpp"

#include <cstdlib>

#include <strings.h>

namespace bench {

namespace {

// The value of a field within a head, or "".
std::string field(const std::string& head, const char* name) {
    const std::size_t size = std::string_view(name).size();
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
        if (::strncasecmp(head.c_str() + at + 2, name, size) == 0 && head[at + 2 + size] == ':') {
            const std::size_t begin = head.find_first_not_of(' ', at + 3 + size);
            return head.substr(begin, head.find("\r\n", begin) - begin);
        }
    }
    return "";
}

} // namespace

bool AnswerReader::take(std::string_view bytes) {
    received_ += bytes;
    if (!head_is_whole_) {
        const std::size_t end = received_.find("\r\n\r\n");
        if (end == std::string::npos) return false;
        read_head(end + 4);
    }
    return is_whole();
}

void AnswerReader::read_head(std::size_t size) {
    head_is_whole_ = true;
    head_size_ = size;
    const std::string head = received_.substr(0, size);
    answer_.status = head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
    answer_.closes = ::strcasecmp(field(head, "Connection").c_str(), "close") == 0;
    const std::string length = field(head, "Content-Length");
    has_length_ = !length.empty();
    body_size_ = std::strtoull(length.c_str(), nullptr, 10);
}

bool AnswerReader::is_whole() {
    if (!has_length_ || received_.size() < head_size_ + body_size_) return false;
    answer_.body = received_.substr(head_size_, body_size_);
    return true;
}

void AnswerReader::clear() {
    received_.clear();
    head_is_whole_ = false;
    answer_ = {};
}

} // namespace bench
