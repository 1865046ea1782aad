// llhttp, as the parser of requests uses it: bytes go in, and what it has found in them is told afterwards.
#pragma once

#include <cstdint>
#include <string_view>

#include <llhttp.h>

namespace cppcorn::http {

class LlhttpEngine {
  public:
    // What it has found in the bytes of the last feed().
    struct Events {
        bool head = false;
        bool chunk = false;
        bool message = false;
    };

    LlhttpEngine();
    LlhttpEngine(const LlhttpEngine&) = delete; // llhttp keeps a pointer into this object
    LlhttpEngine& operator=(const LlhttpEngine&) = delete;

    void reset();

    // All of `bytes` in one go, or an error. HPE_PAUSED: they were the last of a message.
    llhttp_errno_t feed(std::string_view bytes);
    const Events& events() const { return events_; }

    // As llhttp understands the head, or the chunk-size line.
    bool is_chunked() const { return (llhttp_.flags & F_CHUNKED) != 0; }
    std::uint64_t content_length() const { return llhttp_.content_length; }

  private:
    llhttp_t llhttp_;
    Events events_;
};

} // namespace cppcorn::http
