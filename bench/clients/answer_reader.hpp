// Reads one answer of HTTP/1.1 after another, as a client sees them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

struct Answer {
    int status = 0;
    bool closes = false; // the server says that it closes the connection
    std::string body;
};

class AnswerReader {
  public:
    // Takes what has arrived. True: the answer is whole, and answer() is valid until clear().
    bool take(std::string_view bytes);
    // The connection has ended. True: that was the end of an answer without a length.
    bool ends_whole() const { return head_is_whole_ && !has_length_; }
    // Whether a byte of this answer has arrived.
    bool has_begun() const { return !received_.empty(); }
    const Answer& answer() const { return answer_; }
    void clear();

  private:
    void read_head(std::size_t size);
    bool is_whole();

    std::string received_; // all of this answer so far
    std::size_t head_size_ = 0;
    std::size_t body_size_ = 0;
    bool head_is_whole_ = false;
    bool has_length_ = false;
    Answer answer_;
};

} // namespace bench
