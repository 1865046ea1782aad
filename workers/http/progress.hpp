// How far a parser has come with the bytes that it was shown.
#pragma once

#include <cstddef>
#include <string_view>

namespace cppcorn::http {

enum class Step { need_more, head, body, end, refused };

struct Progress {
    Step step = Step::need_more;
    std::size_t consumed = 0; // of the bytes that were shown: done with
    std::string_view body;    // for Step::body: a view into those bytes
};

} // namespace cppcorn::http
