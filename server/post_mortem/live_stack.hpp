// The stack of a process that lives, copied from outside: its registers, the bytes of its stack, and what it has mapped.
// Nothing is read into it here; that is for the process that looks up symbols (server/post_mortem/unwinder.hpp).
//
// A thread that waits in the kernel is not disturbed: the kernel tells where its stack is, and copies that. To stop it
// would break off its wait (EINTR), which few apps expect. One that runs is stopped by ptrace while its stack is copied,
// for less than a millisecond. Both take what a debugger would: a parent has it, unless a container forbids ptrace.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include <sys/types.h>

namespace cppcorn {

struct LiveStack {
    static constexpr int most_registers = 33; // in DWARF's numbers; what is not known is not in `known`
    static constexpr std::size_t most_stack = std::size_t{256} << 10;
    static constexpr std::size_t most_maps = std::size_t{1} << 20;
    // On x86-64, a function may use so much below the pointer.
    static constexpr std::uint64_t red_zone = 128;

    std::uint64_t known = 0; // a bit for each register
    std::uint64_t registers[most_registers]{};
    std::uint64_t instruction = 0;
    std::uint64_t stack = 0;      // the pointer
    std::uint64_t first = 0;      // the address of the first byte of the copy
    std::uint32_t stack_size = 0; // bytes of it, which follow this
    std::uint32_t maps_size = 0;  // bytes of /proc/PID/maps behind them
    std::int32_t process = 0;
    std::int32_t reserved = 0;
};

static_assert(std::is_trivially_copyable_v<LiveStack>);

// Of the process' first thread: a LiveStack and what follows it. Throws std::runtime_error that says why it cannot be
// had. Waits for a running thread to stop, a few milliseconds at most.
std::string take_live_stack(pid_t pid);

} // namespace cppcorn
