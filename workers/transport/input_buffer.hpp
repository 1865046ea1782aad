// The bytes of a connection that were read and not yet consumed, contiguous. A request's head that was consumed can be
// pinned: it stays in place for as long as views into it are used.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/arena.hpp"

namespace cppcorn {

class InputBuffer {
  public:
    struct Room {
        char* data;
        std::size_t size;
    };

    std::string_view unconsumed() const { return {bytes_.data() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }
    void consume(std::size_t count) { begin_ += count; }

    // Where to read the next bytes to; at least `least` of them. Moves the unconsumed bytes, never the pinned ones.
    Room room(std::size_t least = 4096);
    void commit(std::size_t count) { end_ += count; }

    // What was consumed so far stays in place until unpin(), which comes before the next pin().
    void pin() { pinned_ = begin_; }
    void unpin() {
        pinned_ = 0;
        if (!outgrown_.empty()) Block().swap(outgrown_); // to assign {} would keep the memory
    }

    void clear();
    std::size_t capacity() const { return bytes_.capacity() + outgrown_.capacity(); }

    static constexpr std::size_t first_capacity = 16 * 1024;

  private:
    using Block = std::vector<char, ArenaAllocator<char>>;

    void grow(std::size_t least);

    Block bytes_;
    Block outgrown_;         // where the pinned bytes are, once memory had to grow
    std::size_t pinned_ = 0; // end of the pinned bytes in bytes_
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace cppcorn
