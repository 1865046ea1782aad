// Which of many connections has been idle longest: a list in the order in which they became so, linked by descriptors.
// Each step takes the same time, however many there are.
#pragma once

#include <cstddef>
#include <vector>

namespace cppcorn {

class IdleList {
  public:
    static constexpr int nobody = -1;

    int longest() const { return first_; }
    bool contains(int fd) const { return static_cast<std::size_t>(fd) < links_.size() && links_[fd].is_linked; }

    // It is idle since now.
    void add(int fd) {
        if (fd == last_) return;
        if (static_cast<std::size_t>(fd) >= links_.size()) links_.resize(static_cast<std::size_t>(fd) * 2 + 64);
        remove(fd);
        links_[fd] = {last_, nobody, true};
        (last_ == nobody ? first_ : links_[last_].next) = fd;
        last_ = fd;
    }
    // It is not, or is gone.
    void remove(int fd) {
        if (!contains(fd)) return;
        const Link link = links_[fd];
        (link.previous == nobody ? first_ : links_[link.previous].next) = link.next;
        (link.next == nobody ? last_ : links_[link.next].previous) = link.previous;
        links_[fd].is_linked = false;
    }

  private:
    struct Link {
        int previous = nobody;
        int next = nobody;
        bool is_linked = false;
    };

    std::vector<Link> links_; // by descriptor
    int first_ = nobody;
    int last_ = nobody;
};

} // namespace cppcorn
