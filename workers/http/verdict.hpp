// What a rule says of the bytes it was shown.
#pragma once

namespace cppcorn::http {

struct Verdict {
    int status = 0;          // 0: nothing against it; else the status of the answer
    const char* reason = ""; // for logs; static text

    bool accepted() const { return status == 0; }
};

} // namespace cppcorn::http
