#include "workers/http/chunk_line.hpp"

#include "workers/http/text.hpp"

namespace cppcorn::http {

bool ChunkLine::take(char c) {
    state_ = after(c);
    return state_ != State::broken;
}

ChunkLine::State ChunkLine::after(char c) const {
    switch (state_) {
        case State::no_digit:
            return is_hex(c) ? State::digits : State::broken;
        case State::digits:
            return is_hex(c) ? State::digits : behind_item(c);
        case State::before_name:
            if (is_white_space(c)) return State::before_name;
            return is_token_char(c) ? State::name : State::broken;
        case State::name:
            if (is_token_char(c)) return State::name;
            if (is_white_space(c)) return State::behind_name;
            return c == '=' ? State::before_value : behind_item(c);
        case State::behind_name:
            if (is_white_space(c)) return State::behind_name;
            if (c == '=') return State::before_value;
            return c == ';' ? State::before_name : State::broken;
        case State::before_value:
            if (is_white_space(c)) return State::before_value;
            if (c == '"') return State::quoted;
            return is_token_char(c) ? State::value : State::broken;
        case State::value:
            return is_token_char(c) ? State::value : behind_item(c);
        case State::quoted:
            if (c == '"') return State::unquoted;
            if (c == '\\') return State::escaped;
            return is_control(c) ? State::broken : State::quoted;
        case State::escaped:
            return is_control(c) ? State::broken : State::quoted;
        case State::unquoted:
            return behind_item(c);
        default:
            return before_end(c);
    }
}

// Behind the size, a name or a value: the line ends, or the next extension begins.
ChunkLine::State ChunkLine::behind_item(char c) {
    if (c == '\r') return State::cr;
    if (c == ';') return State::before_name;
    return is_white_space(c) ? State::before_semicolon : State::broken;
}

ChunkLine::State ChunkLine::before_end(char c) const {
    if (state_ == State::cr) return c == '\n' ? State::whole : State::broken;
    if (state_ != State::before_semicolon) return State::broken;
    if (is_white_space(c)) return State::before_semicolon;
    return c == ';' ? State::before_name : State::broken;
}

} // namespace cppcorn::http
