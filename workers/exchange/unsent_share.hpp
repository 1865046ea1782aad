// What one connection adds to the bytes in memory that a worker holds for clients who do not take them at once.
#pragma once

#include <cstddef>

namespace cppcorn {

class UnsentShare {
  public:
    UnsentShare() = default;
    UnsentShare(const UnsentShare&) = delete;
    UnsentShare& operator=(const UnsentShare&) = delete;
    ~UnsentShare() { clear(); }

    std::size_t bytes() const { return bytes_; }
    // `sum` outlives it, or clear() comes first.
    void set(std::size_t& sum, std::size_t bytes) {
        sum += bytes - bytes_;
        sum_ = &sum;
        bytes_ = bytes;
    }
    void clear() {
        if (bytes_ != 0) set(*sum_, 0);
    }

  private:
    std::size_t* sum_ = nullptr;
    std::size_t bytes_ = 0;
};

} // namespace cppcorn
