#include "server/post_mortem/live_stack.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <future>
#include <optional>
#include <stdexcept>

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace cppcorn {
namespace {

constexpr int most_tries = 3;
constexpr int stop_tries = 50;
constexpr timespec stop_pause{0, 1'000'000};

[[noreturn]] void fail(const char* what, int error) {
    const char* const hint = error == EPERM || error == EACCES ? " (a container may forbid ptrace)" : "";
    throw std::runtime_error(fmt::format("{}: {}{}", what, std::strerror(error), hint));
}

std::string read_file(pid_t pid, const char* name, std::size_t most) {
    const UniqueFd fd(::open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
    std::string text(most, '\0');
    std::size_t size = 0;
    while (fd.is_open() && size < most) {
        const ssize_t count = ::read(fd.get(), text.data() + size, most - size);
        if (count < 0) break;
        size += static_cast<std::size_t>(count);
        if (count == 0) {
            text.resize(size);
            return text;
        }
    }
    if (fd.is_open() && size == most) return text;
    fail("the kernel does not show it", errno);
}

struct Place {
    std::uint64_t stack = 0;
    std::uint64_t instruction = 0;
};

// Of a thread that waits: "7 0x1 … 0x7ffc SP 0x7f30 PC", or "-1 SP PC" outside of a system call. nullopt: it runs.
std::optional<Place> place_in(const std::string& text) {
    const std::size_t before_pc = text.rfind(" 0x");
    if (before_pc == std::string::npos || before_pc == 0) return std::nullopt;
    const std::size_t before_sp = text.rfind(" 0x", before_pc - 1);
    if (before_sp == std::string::npos) return std::nullopt;
    return Place{std::strtoull(text.c_str() + before_sp, nullptr, 16),
                 std::strtoull(text.c_str() + before_pc, nullptr, 16)};
}

void copy_stack(pid_t pid, LiveStack& live, std::string& bytes) {
    live.first = live.stack > LiveStack::red_zone ? live.stack - LiveStack::red_zone : live.stack;
    bytes.resize(LiveStack::most_stack);
    // Page by page: what lies behind the stack ends the copy, and does not undo it.
    constexpr std::size_t page = 4096;
    std::size_t size = 0;
    while (size < bytes.size()) {
        const std::uint64_t at = live.first + size;
        const std::size_t count = std::min<std::size_t>(page - at % page, bytes.size() - size);
        const iovec into{bytes.data() + size, count};
        const iovec from{std::bit_cast<void*>(at), count};
        if (::process_vm_readv(pid, &into, 1, &from, 1, 0) != static_cast<ssize_t>(count)) break;
        size += count;
    }
    if (size == 0) fail("its memory cannot be read", errno);
    bytes.resize(size);
    live.stack_size = static_cast<std::uint32_t>(size);
}

void know(LiveStack& live, int number, std::uint64_t value) {
    live.known |= std::uint64_t{1} << number;
    live.registers[number] = value;
}

#if defined(__x86_64__)
constexpr int stack_register = 7;

void note_registers(const user_regs_struct& all, LiveStack& live) {
    const std::uint64_t in_order[] = {all.rax, all.rdx, all.rcx, all.rbx, all.rsi, all.rdi, all.rbp, all.rsp, all.r8,
                                      all.r9,  all.r10, all.r11, all.r12, all.r13, all.r14, all.r15, all.rip};
    int number = 0;
    for (const std::uint64_t value : in_order) know(live, number++, value);
    live.stack = all.rsp;
    live.instruction = all.rip;
}
#elif defined(__aarch64__)
constexpr int stack_register = 31;

void note_registers(const user_regs_struct& all, LiveStack& live) {
    for (int number = 0; number < 31; ++number) know(live, number, all.regs[number]);
    know(live, 31, all.sp);
    live.stack = all.sp;
    live.instruction = all.pc;
}
#else
constexpr int stack_register = 0;

void note_registers(const user_regs_struct&, LiveStack&) {
    throw std::runtime_error("not on this machine");
}
#endif

// Stopped for as long as it lives. For a thread that ends after it: the kernel then lets go of a process that has not
// stopped in time, and which would else stop later, for good.
class Stopped {
  public:
    explicit Stopped(pid_t pid) : pid_(pid) {
        if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) fail("it cannot be stopped", errno);
        if (::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) != 0) fail("it cannot be stopped", errno);
        wait();
    }
    ~Stopped() { ::ptrace(PTRACE_DETACH, pid_, nullptr, std::bit_cast<void*>(signal_)); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

    user_regs_struct registers() const {
        user_regs_struct all{};
        iovec to{&all, sizeof all};
        if (::ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &to) != 0) fail("its registers cannot be read", errno);
        return all;
    }

  private:
    void wait() {
        for (int tries = 0; tries < stop_tries; ++tries) {
            siginfo_t info{};
            // Looked at and left: of a process that has ended, the master is to hear in its own time.
            constexpr int options = WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL;
            if (::waitid(P_PID, static_cast<id_t>(pid_), &info, options) != 0) fail("it cannot be waited for", errno);
            if (info.si_pid == pid_ && info.si_code != CLD_TRAPPED) break;
            if (info.si_pid == pid_) {
                // A signal that has just arrived has stopped it: that goes on to it.
                signal_ = info.si_status >> 8 == PTRACE_EVENT_STOP ? 0 : info.si_status & 0x7f;
                return;
            }
            ::nanosleep(&stop_pause, nullptr);
        }
        throw std::runtime_error("it does not stop");
    }

    pid_t pid_;
    std::intptr_t signal_ = 0;
};

void copy_running(pid_t pid, LiveStack& live, std::string& bytes) {
    std::async(std::launch::async, [&] {
        const Stopped stopped(pid);
        note_registers(stopped.registers(), live);
        copy_stack(pid, live, bytes);
    }).get();
}

// False: it was not in the same wait before and after.
bool copy_waiting(pid_t pid, const Place& place, const std::string& before, LiveStack& live, std::string& bytes) {
    live.stack = place.stack;
    live.instruction = place.instruction;
    know(live, stack_register, place.stack);
    copy_stack(pid, live, bytes);
    return read_file(pid, "syscall", 1024) == before;
}

} // namespace

std::string take_live_stack(pid_t pid) {
    for (int tries = 0; tries < most_tries; ++tries) {
        LiveStack live;
        live.process = pid;
        std::string bytes;
        const std::string syscall = read_file(pid, "syscall", 1024);
        const auto place = place_in(syscall);
        if (place && !copy_waiting(pid, *place, syscall, live, bytes)) continue;
        if (!place) copy_running(pid, live, bytes);
        const std::string maps = read_file(pid, "maps", LiveStack::most_maps);
        live.maps_size = static_cast<std::uint32_t>(maps.size());
        std::string all(reinterpret_cast<const char*>(&live), sizeof live);
        return all + bytes + maps;
    }
    throw std::runtime_error("it does not stay in one place for long enough");
}

} // namespace cppcorn
