// The answer to a request whose worker has died in the app.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace cppcorn {

// Its text; allocates nothing. `date_line` is the Date field with its line end, or empty.
class LastAnswer {
  public:
    // 500, or 504 for one that overran its time. Ends the connection. No body behind a HEAD.
    LastAnswer(bool overran, bool is_head_request, std::string_view date_line);

    std::string_view text() const { return {text_.data(), size_}; }

  private:
    void add(std::string_view text);

    std::array<char, 512> text_;
    std::size_t size_ = 0;
};

} // namespace cppcorn
