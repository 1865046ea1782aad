// Asks the resolver what address a host has, without waiting for it: it may take as long as it likes, in a thread of the
// C library's. One question at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/release/resolver.hpp"

namespace cppcorn {

class NameLookup {
  public:
    struct Answer {
        std::optional<SocketAddress> address; // IPv4, if it has one
        std::string error;                    // if it has none: why
    };

    NameLookup();
    // A question that is still open is left to the thread, with its memory.
    ~NameLookup();
    NameLookup(const NameLookup&) = delete;
    NameLookup& operator=(const NameLookup&) = delete;

    // For datagrams. None may be under way.
    void begin(const std::string& host, std::uint16_t port);
    bool is_under_way() const { return question_ != nullptr; }
    // Once it is there; by then none is under way.
    std::optional<Answer> take_answer();

  private:
    struct Question;

    std::unique_ptr<Question> question_;
};

} // namespace cppcorn
