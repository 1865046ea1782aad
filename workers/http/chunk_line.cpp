#include "workers/http/chunk_line.hpp"

#include "workers/http/text.hpp"

namespace cppcorn::http {

bool ChunkLine::take(char c) {
    state_ = after(c);
    return state_ != State::broken;
}

ChunkLine::State ChunkLine::after(char c) const {
    const State end = c == '\r' ? State::cr : State::broken;
    switch (state_) {
        case State::no_digit:
            return is_hex(c) ? State::digits : State::broken;
        case State::digits:
            if (c == ';') return State::no_name;
            return is_hex(c) ? State::digits : end;
        case State::no_name:
            return is_token_char(c) ? State::name : State::broken;
        case State::name:
            if (c == '=') return State::no_value;
            return is_token_char(c) ? State::name : end;
        case State::no_value:
            if (c == '"') return State::quoted;
            return is_token_char(c) ? State::value : State::broken;
        case State::value:
            return is_token_char(c) ? State::value : end;
        case State::quoted:
            if (c == '"') return State::unquoted;
            return is_control(c) || c == '\\' ? State::broken : State::quoted;
        case State::unquoted:
            return end;
        case State::cr:
            return c == '\n' ? State::whole : State::broken;
        case State::whole:
        case State::broken:
            break;
    }
    return State::broken;
}

} // namespace cppcorn::http
