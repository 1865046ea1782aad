// Which request the lines of the error log are about that a thread writes: each of them names its id.
#pragma once

#include <string_view>
#include <utility>

namespace cppcorn {

// As it came from the client, not escaped; what is not known is empty.
struct RequestFacts {
    std::string_view id; // nothing in it has to be escaped; empty: there is no request
    std::string_view line;
    const char* client = ""; // ends with a zero byte
};

// As long as it lives, this thread's lines are about that request, whose texts outlive it. In another thread, lines are
// about none; a child that is forked meanwhile goes on with what its thread had.
class LoggedRequest {
  public:
    explicit LoggedRequest(const RequestFacts& facts) : facts_(facts), before_(std::exchange(current_, &facts_)) {}
    ~LoggedRequest() { current_ = before_; }
    LoggedRequest(const LoggedRequest&) = delete;
    LoggedRequest& operator=(const LoggedRequest&) = delete;

    static RequestFacts current() { return current_ != nullptr ? *current_ : RequestFacts{}; }

  private:
    RequestFacts facts_;
    const RequestFacts* before_;

    static inline constinit thread_local const RequestFacts* current_ = nullptr;
};

} // namespace cppcorn
