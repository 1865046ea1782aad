// How much of a worker's spool is in use, and by whom: bytes of clients that are too many for memory wait in unnamed files
// (workers/transport/spool_file.hpp), whose sizes are bounded together. Bookkeeping only, of one worker, in one thread.
//
// Bodies of which it is known how long they will be must not keep each other from their ends, each holding a part of
// the room: what the oldest of them still needs is kept for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <string>
#include <utility>

#include "base/clock.hpp"

namespace cppcorn {

class Spool {
  public:
    // What one file has of it. Lives as long as the file.
    class Share {
      public:
        // `expected`: bytes that it will have in the end; 0: nobody knows. The spool outlives it.
        Share(Spool& spool, std::uint64_t expected);
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;
        ~Share();

        bool in_memory() const { return in_memory_; }
        // Room for so many bytes more. Always true in memory, where take() decides.
        bool has_room(std::uint64_t bytes) const;
        // They are there. False, and nothing is taken: no room.
        bool take(std::uint64_t bytes);
        // They are there, room or not.
        void take_anyway(std::uint64_t bytes);
        void give_back(std::uint64_t bytes);
        // Its file is in memory from now on. False: there is no room for that.
        bool move_to_memory();

      private:
        friend class Spool;
        std::uint64_t missing() const { return expected_ - taken_; }
        void leave_queue();

        Spool& spool_;
        std::uint64_t expected_;
        std::uint64_t taken_ = 0; // ever
        std::uint64_t held_ = 0;  // of that, what was not given back
        bool in_memory_ = false;
        bool is_queued_ = false; // its end is known, and has not come
        std::list<Share*>::iterator place_;
    };

    // No directory: $TMPDIR, or /tmp.
    Spool(const std::string& directory, std::uint64_t limit, std::uint64_t memory_limit = usual_memory_limit);
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;

    const std::string& directory() const { return directory_; }
    bool is_on() const { return limit_ > 0; }
    // False: so many bytes will never fit.
    bool can_hold(std::uint64_t bytes) const { return bytes <= limit_; }

    std::uint64_t used() const { return used_; }
    std::uint64_t used_memory() const { return used_memory_; }
    // Bytes of one that is long: such ones are replaced while they are in use, so that they hold no room that is read.
    std::uint64_t long_file() const { return std::min(limit_ / 8, longest_file); }
    // Whether room was given back since this was asked.
    bool take_news_of_room() { return std::exchange(has_news_of_room_, false); }
    // A file could not be made or written. True: that is to be logged; once a minute is enough.
    bool note_failure(SteadyTime now);

    // The file system knows no unnamed files, as was seen.
    bool lacks_unnamed_files = false;

    // Where files cannot be written, so much is kept in memory.
    static constexpr std::uint64_t usual_memory_limit = 64 << 20;

  private:
    static constexpr std::uint64_t longest_file = 64 << 20;

    std::string directory_;
    std::uint64_t limit_;
    std::uint64_t memory_limit_;
    std::uint64_t used_ = 0;
    std::uint64_t used_memory_ = 0;
    std::list<Share*> queue_; // those whose end is known, the oldest first
    bool has_news_of_room_ = false;
    SteadyTime quiet_until_{};
};

// Where files go that are told no directory.
std::string system_spool_directory();

} // namespace cppcorn
