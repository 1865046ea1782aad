// Memory that can be changed while it is read, at a place of the test's choice: the first touch of its second page calls a
// function, and goes on after that. So a reader meets a writer without a second thread, each time.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <new>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace cppcorn {

// One at a time.
template <class T>
class InterruptedRead {
  public:
    // The object's byte at that offset is the second page's first one.
    explicit InterruptedRead(std::size_t offset)
        : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))), size_(2 * page_ + (sizeof(T) / page_ + 1) * page_) {
        memory_ =
            static_cast<char*>(::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        object_ = new (memory_ + page_ - offset) T();
    }
    ~InterruptedRead() {
        ::sigaction(SIGSEGV, &saved_, nullptr);
        ::munmap(memory_, size_);
    }
    InterruptedRead(const InterruptedRead&) = delete;
    InterruptedRead& operator=(const InterruptedRead&) = delete;

    T& object() { return *object_; }
    // When the second page is touched next.
    void then(std::function<void()> meanwhile) {
        current = this;
        meanwhile_ = std::move(meanwhile);
        struct sigaction action {};
        action.sa_handler = [](int) { current->interrupt(); };
        action.sa_flags = SA_NODEFER;
        ::sigaction(SIGSEGV, &action, &saved_);
        ::mprotect(memory_ + page_, page_, PROT_NONE);
    }
    bool was_touched() const { return was_touched_; }

  private:
    void interrupt() {
        if (was_touched_) ::_exit(1); // it is another fault
        was_touched_ = true;
        ::mprotect(memory_ + page_, page_, PROT_READ | PROT_WRITE);
        meanwhile_();
    }

    inline static InterruptedRead* current = nullptr;

    std::size_t page_;
    std::size_t size_;
    char* memory_;
    T* object_;
    std::function<void()> meanwhile_;
    struct sigaction saved_ {};
    bool was_touched_ = false;
};

} // namespace cppcorn
