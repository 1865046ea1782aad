// What this library throws when the client fails while the app reads from it or writes to it. An app need not catch
// either of them.
#pragma once

#include <cerrno>
#include <system_error>

namespace cppcorn {
inline namespace kit {

// The request's body cannot be read any further. code() is an errno: ETIMEDOUT (the client is too slow), ECONNRESET
// (the client is gone), EBADMSG (its framing is broken), EFBIG (the body is over a limit). Uncaught, it becomes a 408,
// 400 or 413 if the response has not begun; the server makes it, in the form that Accept asks for, unless it was the
// app's own limit. If it has begun, the connection is cut.
class BodyError : public std::system_error {
  public:
    explicit BodyError(int error)
        : std::system_error(error, std::generic_category(), "cannot read the request's body") {}
};

// The client is gone (EPIPE), or has not read the response for too long (ETIMEDOUT). Uncaught, it ends the request
// without a line in the log.
class ClientGone : public std::system_error {
  public:
    explicit ClientGone(int error) : std::system_error(error, std::generic_category(), "the client is gone") {}
};

namespace [[gnu::visibility("hidden")]] detail {

// Throws what a host function that sends has returned.
inline void check_sent(int result, const char* what) {
    if (result >= 0) return;
    if (result == -EPIPE || result == -ETIMEDOUT) throw ClientGone(-result);
    throw std::system_error(-result, std::generic_category(), what);
}

} // namespace detail

} // namespace kit
} // namespace cppcorn
