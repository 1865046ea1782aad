// Text that others wrote, in HTML: what clients send is shown here to people. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cppcorn {

// As the content of an element or of a quoted attribute, on any number of lines. Control bytes and what is no UTF-8 come
// as \xNN, so that nothing is left that a browser could take for anything but text.
std::string html(std::string_view text);

// The same of what a client sent: all but printable ASCII comes as \xNN, so that nothing looks like anything else.
std::string html_line(std::string_view text);

} // namespace cppcorn
