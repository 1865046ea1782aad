// A session as lines of text for a terminal of a certain size. Pure.
#pragma once

#include <string>
#include <vector>

#include "server/control/top/session.hpp"

namespace cppcorn::top {

struct Size {
    std::size_t rows = 0;
    std::size_t columns = 0;
};

enum class Style { plain, strong, good, bad, busy, soft, heading, chosen };

// Printable ASCII.
struct Span {
    Style style = Style::plain;
    std::string text;
};

// As many lines as the terminal has; none is wider than it.
using Picture = std::vector<std::vector<Span>>;

Picture picture_of(const Session& session, Size size, SteadyTime now);

} // namespace cppcorn::top
