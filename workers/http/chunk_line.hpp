// The form of a chunk-size line (RFC 9112, 7.1 and 7.1.1), to which llhttp does not hold extensions: it takes them
// without a name, without a value, and with quotes anywhere. Some legal ones are refused, as llhttp does: those with
// blanks around ";" and "=", several, escapes in quotes.
#pragma once

namespace cppcorn::http {

class ChunkLine {
  public:
    void restart() { state_ = State::no_digit; }

    // False if the line cannot go on with this byte; the line is then of no further use.
    bool take(char c);

    bool whole() const { return state_ == State::whole; } // its LF was the last byte

  private:
    enum class State { no_digit, digits, no_name, name, no_value, value, quoted, unquoted, cr, whole, broken };

    State after(char c) const;

    State state_ = State::no_digit;
};

} // namespace cppcorn::http
