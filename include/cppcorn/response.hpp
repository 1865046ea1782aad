// What an app answers.
#pragma once

#include <cppcorn/body.hpp>
#include <cppcorn/headers.hpp>

namespace [[gnu::visibility("hidden")]] cppcorn {
inline namespace kit {

// return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
//
// Text and files get a Content-Length unless the app gives one. No Content-Type is made up. For HEAD, answer as for
// GET: the body is left out. A status or field that cannot be sent becomes a 500 and a line in the log.
struct Response {
    int status = 200;
    Headers headers = {};
    Body body = {};
};

} // namespace kit
} // namespace cppcorn
