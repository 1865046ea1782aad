// What a system call on a client's socket has done, as the kernel itself notes it: in memory that outlives the process,
// for whoever goes on with the connection of one that was killed within the call. For sockets that do not count what
// goes through them, as those of unix do not.
#pragma once

#include <atomic>
#include <cstdint>

#include <sys/socket.h>

namespace cppcorn {

struct CallNote {
    enum class Kind : std::uint8_t {
        none,     // no call
        receives, // `call.msg_len` bytes, once it has
        sends,    // the same
        unknown,  // it sends, and nobody notes how much
    };

    int socket; // descriptor + 1
    Kind kind;
    std::uint64_t received; // bytes, ever, before the call
    std::uint64_t sent;
    mmsghdr call; // for recvmmsg and sendmmsg
};

// The last call of a process. Shared memory, zero at first. A note is replaced as a whole by the next one.
class CallNotes {
  public:
    // A call begins; the note stays where it is until the one after the next.
    CallNote& begin(const CallNote& note) {
        const unsigned next = 1 - current_.load(std::memory_order_relaxed) % 2;
        notes_[next] = note;
        current_.store(next, std::memory_order_release);
        return notes_[next];
    }
    // For another process, once this one is dead. A copy.
    CallNote last() const { return notes_[current_.load(std::memory_order_acquire) % 2]; }

  private:
    std::atomic<unsigned> current_;
    CallNote notes_[2];
};

} // namespace cppcorn
