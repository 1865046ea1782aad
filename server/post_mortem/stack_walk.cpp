#include "server/post_mortem/stack_walk.hpp"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/unique_fd.hpp"
#include "server/post_mortem/library_symbol.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t most_frames = CrashRecord::max_frames;

bool copy_word(const LiveStackView& copy, std::uint64_t address, std::uint64_t& word) {
    const std::uint64_t at = address - copy.live.first;
    if (address < copy.live.first || copy.stack.size() < sizeof word || at > copy.stack.size() - sizeof word)
        return false;
    std::memcpy(&word, copy.stack.data() + at, sizeof word);
    return true;
}

// ---- By libdw

struct Dwfl;
struct DwflThread;
struct DwflFrame;

struct DwflCallbacks {
    void* find_elf;
    void* find_debuginfo;
    void* section_address;
    char** debuginfo_path;
};

struct DwflThreadCallbacks {
    pid_t (*next_thread)(Dwfl*, void*, void**);
    bool (*get_thread)(Dwfl*, pid_t, void*, void**);
    bool (*memory_read)(Dwfl*, std::uint64_t, std::uint64_t*, void*);
    bool (*set_initial_registers)(DwflThread*, void*);
    void (*detach)(Dwfl*, void*);
    void (*thread_detach)(DwflThread*, void*);
};

struct Libdw {
    void* library = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    bool is_complete = library != nullptr;

#define CPPCORN_LIBDW(name, ...)      \
    LibrarySymbol<__VA_ARGS__> name { \
        library, #name, is_complete   \
    }
    CPPCORN_LIBDW(dwfl_begin, Dwfl*(const DwflCallbacks*));
    CPPCORN_LIBDW(dwfl_end, void(Dwfl*));
    CPPCORN_LIBDW(dwfl_linux_proc_maps_report, int(Dwfl*, std::FILE*));
    CPPCORN_LIBDW(dwfl_report_end, int(Dwfl*, void*, void*));
    CPPCORN_LIBDW(dwfl_attach_state, bool(Dwfl*, void*, pid_t, const DwflThreadCallbacks*, void*));
    CPPCORN_LIBDW(dwfl_getthread_frames, int(Dwfl*, pid_t, int (*)(DwflFrame*, void*), void*));
    CPPCORN_LIBDW(dwfl_frame_pc, bool(DwflFrame*, std::uint64_t*, bool*));
    CPPCORN_LIBDW(dwfl_thread_state_registers, bool(DwflThread*, int, unsigned, const std::uint64_t*));
    CPPCORN_LIBDW(dwfl_thread_state_register_pc, void(DwflThread*, std::uint64_t));
    CPPCORN_LIBDW(dwfl_linux_proc_find_elf, int());
    CPPCORN_LIBDW(dwfl_standard_find_debuginfo, int());
#undef CPPCORN_LIBDW
};

const Libdw& libdw() {
    static const Libdw functions;
    return functions;
}

struct Walk {
    const LiveStackView& copy;
    std::vector<std::uint64_t> addresses;
};

const LiveStackView& copy_of(void* walk) {
    return static_cast<Walk*>(walk)->copy;
}

pid_t next_thread(Dwfl*, void* walk, void** thread) {
    if (*thread != nullptr) return 0;
    *thread = walk;
    return copy_of(walk).live.process;
}

bool get_thread(Dwfl*, pid_t, void* walk, void** thread) {
    *thread = walk;
    return true;
}

bool read_memory(Dwfl*, std::uint64_t address, std::uint64_t* word, void* walk) {
    return copy_word(copy_of(walk), address, *word);
}

bool set_registers(DwflThread* thread, void* walk) {
    const LiveStack& live = copy_of(walk).live;
    for (int number = 0; number < LiveStack::most_registers; ++number) {
        if ((live.known >> number & 1) == 0) continue;
        if (!libdw().dwfl_thread_state_registers(thread, number, 1U, &live.registers[number])) return false;
    }
    libdw().dwfl_thread_state_register_pc(thread, live.instruction);
    return true;
}

int note_frame(DwflFrame* frame, void* data) {
    constexpr int stop = 1;
    auto& walk = *static_cast<Walk*>(data);
    std::uint64_t address = 0;
    bool is_instruction = false;
    if (!libdw().dwfl_frame_pc(frame, &address, &is_instruction)) return stop;
    walk.addresses.push_back(address - (is_instruction ? 0 : 1));
    return walk.addresses.size() == most_frames ? stop : 0;
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

} // namespace

std::vector<std::uint64_t> walk_by_debug_info(const LiveStackView& copy) {
    const Libdw& dw = libdw();
    if (!dw.is_complete || copy.maps.empty()) return {};
    const DwflCallbacks callbacks{reinterpret_cast<void*>(dw.dwfl_linux_proc_find_elf.call),
                                  reinterpret_cast<void*>(dw.dwfl_standard_find_debuginfo.call), nullptr, nullptr};
    const std::unique_ptr<Dwfl, void (*)(Dwfl*)> dwfl(dw.dwfl_begin(&callbacks), dw.dwfl_end.call);
    std::string maps(copy.maps);
    const File file(::fmemopen(maps.data(), maps.size(), "r"), std::fclose);
    if (dwfl == nullptr || file == nullptr) return {};
    dw.dwfl_linux_proc_maps_report(dwfl.get(), file.get());
    dw.dwfl_report_end(dwfl.get(), static_cast<void*>(nullptr), static_cast<void*>(nullptr));
    static constexpr DwflThreadCallbacks thread_callbacks{next_thread,   get_thread, read_memory,
                                                          set_registers, nullptr,    nullptr};
    Walk walk{copy, {}};
    const pid_t process = copy.live.process;
    if (!dw.dwfl_attach_state(dwfl.get(), static_cast<void*>(nullptr), process, &thread_callbacks,
                              static_cast<void*>(&walk))) {
        return {};
    }
    dw.dwfl_getthread_frames(dwfl.get(), process, note_frame, static_cast<void*>(&walk));
    return walk.addresses;
}

// ---- By what looks like a return

namespace {

// Opened once each.
class Code {
  public:
    // Whether the instruction before that address is a call.
    bool is_behind_call(const MappedFile& file, std::uint64_t address) {
        std::array<unsigned char, 8> before{};
        const std::uint64_t at = address - file.start + file.offset;
        if (!file.is_same || at < before.size()) return false;
        auto& fd = files_[file.path];
        if (!fd.is_open()) fd.reset(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
        const auto from = static_cast<off_t>(at - before.size());
        return ::pread(fd.get(), before.data(), before.size(), from) == static_cast<ssize_t>(before.size()) &&
               ends_with_call(before);
    }

  private:
#if defined(__x86_64__)
    static bool ends_with_call(const std::array<unsigned char, 8>& code) {
        constexpr std::size_t end = 8;
        if (code[end - 5] == 0xe8) return true;
        for (const std::size_t size : {2, 3, 4, 6, 7}) { // call through a register or memory
            const bool is_call = code[end - size] == 0xff && (code[end - size + 1] >> 3 & 7) == 2;
            if (is_call) return true;
        }
        return false;
    }
#else
    static bool ends_with_call(const std::array<unsigned char, 8>& code) {
        std::uint32_t word = 0;
        std::memcpy(&word, &code[4], sizeof word);
        return (word & 0xfc000000) == 0x94000000 || (word & 0xfffffc1f) == 0xd63f0000; // bl, blr
    }
#endif

    std::map<std::string, UniqueFd> files_;
};

const MappedFile* code_at(const std::vector<MappedFile>& files, std::uint64_t address) {
    for (const MappedFile& file : files) {
        if (address > file.start && address < file.end) return file.is_executable ? &file : nullptr;
    }
    return nullptr;
}

} // namespace

std::vector<std::uint64_t> walk_by_returns(const LiveStackView& copy, const std::vector<MappedFile>& files) {
    std::vector<std::uint64_t> addresses{copy.live.instruction};
    Code code;
    for (std::uint64_t at = copy.live.stack; addresses.size() < most_frames; at += sizeof at) {
        std::uint64_t word = 0;
        if (!copy_word(copy, at, word)) break;
        const MappedFile* const file = code_at(files, word);
        if (file != nullptr && code.is_behind_call(*file, word)) addresses.push_back(word - 1);
    }
    return addresses;
}

} // namespace cppcorn
