// Writes responses: the head with the fields that the protocol asks for, and the body in the framing that request and
// head decide (RFC 9112, 6). Pure text in, text out: bytes are appended to a string that the caller sends.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/arena.hpp"
#include "workers/http/request_head.hpp"

namespace cppcorn::http {

enum class BodyFraming { none, length, chunked, until_close };

// What the response's framing depends on, taken from the request.
struct ResponseContext {
    bool head_request = false;    // HEAD: no body, whatever the fields say
    int minor = 1;                // of the request
    bool keep_alive = true;       // the connection may be used again: the client asks for it and the server is willing
    std::string_view date_line;   // the Date field as it is sent, with its CRLF; added unless the app has one
    std::string_view server_line; // the same of the Server field
    std::string_view reason = {}; // of the status line; empty: the usual one
};

// Appends an interim response 103 with these fields (RFC 8297). False, and nothing appended, if a name is no token, or a
// value or name holds a control byte other than HTAB. Fields that are about a body or the connection are dropped.
bool write_early_hints(std::span<const Field> fields, Bytes& out);

// One response's way out. begin(), then body() and body_announced() as often as needed, then end().
class ResponseWriter {
  public:
    // Appends the head to `out`. Fields of the app's that would break the framing are dropped (hop-by-hop, but for the
    // Upgrade of a 426, and Content-Length where there may be none); Date, Server, Connection, Transfer-Encoding are added as needed. False,
    // and nothing appended, if the status is not 200-599, a name is no token, a value or name holds a control byte
    // other than HTAB, or Content-Length is malformed or given twice. The same for a reason with a control byte.
    bool begin(const ResponseContext& context, int status, std::span<const Field> fields, Bytes& out);

    // Appends `data` in the body's framing; as much of it as the declared length allows. Returns how many of its bytes
    // were accepted: fewer than data.size() only where the declared length is exceeded. Where no body may be sent, all
    // are accepted and dropped.
    std::size_t body(std::string_view data, Bytes& out);

    // The same for `size` bytes that the caller sends itself (a file): appends what comes before them and sets `after`
    // to what comes behind them. Returns how many of the bytes the caller shall send: 0 where no body may be sent or
    // the length is used up.
    std::uint64_t body_announced(std::uint64_t size, Bytes& out, std::string_view& after);

    // The app is done. Appends the last chunk where there is one. False: the body is shorter than declared, the
    // connection must be closed.
    bool end(Bytes& out);

    bool begun() const { return status_ != 0; }
    int status() const { return status_; }
    bool keep_alive() const { return keep_alive_; } // false: close after this response
    bool ended() const { return ended_; }
    // Nothing can follow what was appended: it has ended, or the declared length is there, or it has no body.
    bool whole() const {
        const bool has_all = framing_ == BodyFraming::length && body_size_ == declared_size_;
        return begun() && (ended_ || has_all || framing_ == BodyFraming::none);
    }
    BodyFraming framing() const { return framing_; }
    std::uint64_t body_size() const { return body_size_; } // body bytes accepted and to be sent, without framing

  private:
    int status_ = 0;
    BodyFraming framing_ = BodyFraming::none;
    bool keep_alive_ = false;
    bool ended_ = false;
    std::uint64_t declared_size_ = 0;
    std::uint64_t body_size_ = 0;
};

} // namespace cppcorn::http
