// The last ends of workers, in memory that the master shares: when, why, the request that was served, and the stack once
// it is known. The master writes; others may read at any time, and get a record whole or not at all.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <sys/types.h>

#include "base/counter.hpp"

namespace cppcorn {

// Why a worker has ended.
enum class EndCause : std::uint8_t {
    retired,       // it was asked to: a reload, fewer workers, --max-requests and its like, or the service's end
    timeout,       // it overran --timeout, --boot-timeout, or stood still: we have ended it
    crash,         // by a fault of its own
    killed,        // by somebody else's KILL
    out_of_memory, // by the kernel's
    grace,         // it was asked to, and did not within --graceful-timeout: we have killed it
    exit,          // the app has ended it
    start,         // before it was ready
};
inline constexpr std::size_t end_cause_count = 8;

struct WorkerEnd {
    std::time_t time = 0;
    pid_t pid = 0;
    int slot = 0;
    EndCause cause = EndCause::retired;
    std::string how;     // "was sent SIGSEGV"
    std::string request; // the request line as it came, if it served one: to be escaped
    std::string client;
    std::string request_id;
    double request_age = 0; // seconds
    std::string report;     // the post-mortem, of several lines; "" while there is none
};

// Plain data, zero at first. Ends that were asked for have places of their own: a reload, which is many of them, leaves
// the crash that it is to mend in the book.
class EndBook {
  public:
    static constexpr std::size_t most_retired = 4;
    static constexpr std::size_t most_others = 12;
    static constexpr std::size_t longest_report = 3000;

    // Master.
    void add(const WorkerEnd& end);
    // To the last end of that process, if it is still there.
    void add_report(pid_t pid, std::string_view report);

    // The latest first. A record that changes each time it is read is left out.
    std::vector<WorkerEnd> all() const;

  private:
    struct Record {
        Counter version;      // odd while it is being written; 0: there is none
        std::uint64_t number; // counts all ends
        std::int64_t time;
        std::int32_t pid;
        std::int32_t slot;
        double request_age;
        EndCause cause;
        char how[40];
        char request[174];
        char client[46];
        char request_id[201];
        char report[longest_report];
    };

    Record& next_place(EndCause cause);
    static bool read(const Record& record, WorkerEnd& end, std::uint64_t& number);

    std::uint64_t retired_count_; // master's
    std::uint64_t other_count_;
    std::array<Record, most_others + most_retired> records_; // first the others
};
static_assert(std::is_trivially_copyable_v<EndBook>);

} // namespace cppcorn
