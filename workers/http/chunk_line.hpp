// The form of a chunk-size line (RFC 9112, 7.1 and 7.1.1). Extensions are checked and forgotten. llhttp sees the size
// and the line's end only: it takes extensions without a name, without a value, and with quotes anywhere, and refuses
// legal ones: several, those with blanks around ";" and "=", and escapes in quotes.
#pragma once

#include <cstdint>

namespace cppcorn::http {

class ChunkLine {
  public:
    void restart() { state_ = State::no_digit; }

    // False if the line cannot go on with this byte; the line is then of no further use.
    bool take(char c);

    bool in_size() const { return state_ == State::digits; } // the last byte was one of the size's digits
    bool whole() const { return state_ == State::whole; }    // its LF was the last byte

    // For another one to go on with. False: none comes to that.
    std::uint8_t progress() const { return static_cast<std::uint8_t>(state_); }
    bool resume(std::uint8_t progress) {
        state_ = static_cast<State>(progress);
        return state_ < State::whole;
    }

  private:
    enum class State : std::uint8_t {
        no_digit,
        digits,
        before_semicolon,
        before_name,
        name,
        behind_name,
        before_value,
        value,
        quoted,
        escaped,
        unquoted,
        cr,
        whole,
        broken
    };

    State after(char c) const;
    static State behind_item(char c);
    State before_end(char c) const;

    State state_ = State::no_digit;
};

} // namespace cppcorn::http
