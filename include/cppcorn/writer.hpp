// The body of a response that is made while it is sent.
#pragma once

#include <string_view>

#include <cppcorn/abi.h>
#include <cppcorn/errors.hpp>
#include <cppcorn/file.hpp>

namespace cppcorn {
inline namespace kit {

// Given to a stream; valid during that call, on its thread. Every function throws ClientGone if the client is gone or
// does not read, and std::system_error for the app's own faults (EMSGSIZE: more than its Content-Length).
class Writer {
  public:
    Writer(const cppcorn_host& host, const cppcorn_request& request) : host_(host), request_(request) {}
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Appends to the body. Small pieces are gathered; blocks only while much is waiting for a slow client.
    void write(std::string_view data) { check(host_.write(&request_, data.data(), data.size())); }

    // Ends the response here, for an app that has more to do than the client has to wait for. Nothing can be written from
    // then on. With a server of ABI 1.0 the client gets what there is, but sees the end when the app returns.
    void finish() {
        const bool can_finish = CPPCORN_HAS(&host_, cppcorn_host, finish);
        check((can_finish ? host_.finish : host_.flush)(&request_));
    }

    // Sends what was written so far, for a client that waits for each piece. Not needed at the end.
    void flush() { check(host_.flush(&request_)); }

    // Appends a file. It may be closed afterwards.
    void send_file(const File& file) {
        check(host_.send_file(&request_, file.descriptor(), file.offset(), file.size()));
    }

  private:
    static void check(int result) { detail::check_sent(result, "cannot write the response's body"); }

    const cppcorn_host& host_;
    const cppcorn_request& request_;
};

} // namespace kit
} // namespace cppcorn
