// What the kit throws into an app's code while it talks to the client. Neither needs catching: an app that does not
// care lets them pass, and the client's failure is then no error of the app's.
#pragma once

#include <cerrno>
#include <system_error>

namespace [[gnu::visibility("hidden")]] cppcorn {
inline namespace kit {

// The request's body cannot be read any further. code() is an errno: ETIMEDOUT the client was too slow, ECONNRESET it
// left, EBADMSG its framing is broken, EFBIG the body is over a limit. Left uncaught before the response has begun, it
// becomes a 408, 400 or 413; after that, the connection is cut.
class BodyError : public std::system_error {
  public:
    explicit BodyError(int error)
        : std::system_error(error, std::generic_category(), "cannot read the request's body") {}
};

// The client does not take the response any more (EPIPE), or has not for too long (ETIMEDOUT). Left uncaught it ends
// the request without a word in the log.
class ClientGone : public std::system_error {
  public:
    explicit ClientGone(int error) : std::system_error(error, std::generic_category(), "the client is gone") {}
};

} // namespace kit
} // namespace cppcorn
