// The answer to a request whose worker has died in the app.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cppcorn {

// Its text; allocates nothing.
class LastAnswer {
  public:
    // 500, or 504 for one that overran its time, with the request's id, where that is one. Ends the connection. No body
    // behind a HEAD. `now`: seconds since the epoch.
    LastAnswer(bool overran, bool is_head_request, std::string_view request_id, std::int64_t now);

    std::string_view text() const { return {text_.data(), size_}; }

  private:
    void add(std::string_view text);
    void add_number(std::size_t number);

    std::array<char, 640> text_;
    std::size_t size_ = 0;
};

} // namespace cppcorn
