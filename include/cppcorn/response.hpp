// What an app answers.
#pragma once

#include <cppcorn/body.hpp>
#include <cppcorn/headers.hpp>

namespace cppcorn {
inline namespace kit {

// return {200, {{"Content-Type", "text/plain"}}, "Hello, world!\n"};
//
// Owns all of it. Text and files get a Content-Length unless the app gives one. A Content-Type is never added. For
// HEAD, answer as for GET: the body is left out. If a status or field cannot be sent, the client gets a 500 and the log
// says why.
struct Response {
    int status = 200;
    Headers headers = {};
    Body body = {};
};

} // namespace kit
} // namespace cppcorn
