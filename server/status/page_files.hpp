// What the page refers to: its style and its script, which it is served with.
#pragma once

namespace cppcorn {

extern const char* const page_style;  // page.css
extern const char* const page_script; // page.js

} // namespace cppcorn
