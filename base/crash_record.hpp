// What a process that crashes leaves to those that outlive it: plain data, in memory that its master shares with it.
// It fills this in from a signal handler, step by step, so that a record may be cut short anywhere. Whoever reads it
// takes nothing in it for granted: the process was out of order when it wrote it.
#pragma once

#include <cstdint>
#include <type_traits>

namespace cppcorn {

// A file that frames lie in.
struct CrashModule {
    std::uint64_t base; // an address less this is what addr2line takes: where it was mapped, for all but old programs
    char path[512];     // as the kernel names it: with " (deleted)" where the file is another one by now
    unsigned char build_id[32];
    std::uint8_t build_id_size; // 0: it has none, or it could not be read
    bool is_server;             // this program itself
};

struct CrashFrame {
    std::uint64_t address; // of the instruction, or within the call that has not returned
    std::int32_t module;   // -1: in no file that is known
};

// What kind of memory an address lies in.
enum class CrashMemory : std::uint8_t { unknown, unmapped, inaccessible, read_only, writable };

struct CrashRecord {
    static constexpr std::uint32_t current_version = 1;
    static constexpr int max_frames = 64;
    static constexpr int max_modules = 24;

    std::uint32_t version; // 0: nothing was written
    std::int32_t signal;
    std::int32_t code;     // si_code
    std::int32_t process;  // that crashed
    std::int32_t thread;   // of it
    std::int32_t sender;   // of a signal that was sent; 0 for a fault
    std::uint64_t address; // of the memory, for a fault
    CrashMemory memory;    // what is at that address
    bool is_stack_overflow;
    bool left_the_code; // it went to an address where there is no code; the first frame is that address
    bool is_guessed;    // the second frame was searched for on the stack
    bool is_torn;       // the stack could not be followed to its end
    char thread_name[16];
    char exception[256];       // "std::runtime_error: what() of it": what std::terminate was called for; else empty
    std::uint32_t frame_count; // the innermost first
    std::uint32_t module_count;
    CrashFrame frames[max_frames];
    CrashModule modules[max_modules];
};

static_assert(std::is_trivially_copyable_v<CrashRecord>);

// A copy in which all counts and indices are within bounds, and all texts end: safe to read, however wrong. One of
// another version, or none, has version 0.
CrashRecord checked(const CrashRecord& record);

} // namespace cppcorn
