#include "base/crash_stack.hpp"

#include <algorithm>
#include <bit>
#include <csignal>
#include <cstring>
#include <iterator>

#include <ucontext.h>
#include <unwind.h>

#include "base/crash_build_id.hpp"
#include "base/memory_map.hpp"

namespace cppcorn {
namespace {

// An access that is to be a stack overflow lies so near to the stack's pointer: below it for a push or a call, above it
// for the local variables of a function that has made room for them.
constexpr std::uintptr_t most_below_pointer = 4096;
constexpr std::uintptr_t most_above_pointer = std::uintptr_t{4} << 20;
constexpr int searched_words = 512;

struct CodeRange {
    std::uintptr_t start;
    std::uintptr_t end;
};
CodeRange code_ranges[256];
int code_range_count;

bool is_code(std::uintptr_t address) {
    return std::any_of(code_ranges, code_ranges + code_range_count,
                       [&](const CodeRange& range) { return address >= range.start && address < range.end; });
}

// ---- The registers

struct Registers {
    std::uintptr_t instruction = 0;
    std::uintptr_t stack = 0;
    std::uintptr_t caller = 0; // where the machine keeps it in a register
};

#if defined(__x86_64__)

Registers registers_of(const ucontext_t& context) {
    return {static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]),
            static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]), 0};
}

void go_on_at(ucontext_t& context, const Registers& registers) {
    context.uc_mcontext.gregs[REG_RIP] = static_cast<greg_t>(registers.instruction);
    context.uc_mcontext.gregs[REG_RSP] = static_cast<greg_t>(registers.stack);
}

#elif defined(__aarch64__)

Registers registers_of(const ucontext_t& context) {
    return {context.uc_mcontext.pc, context.uc_mcontext.sp, context.uc_mcontext.regs[30]};
}

void go_on_at(ucontext_t& context, const Registers& registers) {
    context.uc_mcontext.pc = registers.instruction;
    context.uc_mcontext.sp = registers.stack;
}

#else // only what the unwinder finds

Registers registers_of(const ucontext_t&) {
    return {};
}

void go_on_at(ucontext_t&, const Registers&) {}

#endif

// ---- The memory

CrashMemory kind_of(const Mapping& mapping) {
    if (!mapping.is_readable) return CrashMemory::inaccessible;
    return mapping.is_writable ? CrashMemory::writable : CrashMemory::read_only;
}

// Returns the end of the writable memory that the stack's pointer is in; 0 if it is in none.
std::uintptr_t look_at_memory(CrashRecord& record, const Registers& registers) {
    MemoryMap map;
    Mapping mapping;
    std::uintptr_t stack_end = 0;
    code_range_count = 0;
    while (map.next(mapping)) {
        record.memory = record.memory == CrashMemory::unknown ? CrashMemory::unmapped : record.memory;
        if (mapping.holds(record.address)) record.memory = kind_of(mapping);
        if (mapping.holds(registers.stack) && mapping.is_writable) stack_end = mapping.end;
        if (mapping.is_executable && code_range_count < static_cast<int>(std::size(code_ranges))) {
            code_ranges[code_range_count++] = {mapping.start, mapping.end};
        }
    }
    return stack_end;
}

// Below the stack's memory, and next to the pointer into it.
bool is_stack_overflow(const CrashRecord& record, const Registers& registers) {
    if (record.signal != SIGSEGV && record.signal != SIGBUS) return false;
    if (record.memory != CrashMemory::unmapped && record.memory != CrashMemory::inaccessible) return false;
    return record.address + most_below_pointer >= registers.stack &&
           record.address < registers.stack + most_above_pointer;
}

// ---- The frames

void add_frame(CrashRecord& record, std::uintptr_t address) {
    record.frames[record.frame_count] = {address, -1};
    record.frame_count++;
}

// Of any memory of the stack's, also between the variables, which a sanitizer forbids.
__attribute__((no_sanitize("address"))) std::uintptr_t word_at(std::uintptr_t address) {
    const auto* const word = std::bit_cast<const volatile std::uintptr_t*>(address);
    return word == nullptr ? 0 : *word;
}

// After a call into nowhere, the caller's address is the last thing on the stack; after a return into nowhere, which
// overwritten memory makes, some address of code further up is the best that there is.
bool find_caller(CrashRecord& record, Registers& registers, std::uintptr_t stack_end) {
    if (is_code(registers.caller)) {
        registers.instruction = registers.caller - 1;
        return true;
    }
    for (int i = 0; i < searched_words; ++i) {
        const std::uintptr_t at = registers.stack + static_cast<std::uintptr_t>(i) * sizeof(std::uintptr_t);
        if (at % sizeof at != 0 || at + sizeof at > stack_end) return false;
        const std::uintptr_t word = word_at(at);
        if (!is_code(word)) continue;
        record.is_guessed = i > 0;
        registers = {word - 1, at + sizeof at, 0};
        return true;
    }
    return false;
}

struct Walk {
    CrashRecord& record;
    std::uintptr_t first; // the instruction that was interrupted; the frames before are the handler's
    bool has_begun = false;
};

_Unwind_Reason_Code step(_Unwind_Context* context, void* argument) {
    Walk& walk = *static_cast<Walk*>(argument);
    int is_exact = 0;
    const auto address = static_cast<std::uintptr_t>(_Unwind_GetIPInfo(context, &is_exact));
    if (!walk.has_begun) {
        walk.has_begun = address == walk.first;
        return _URC_NO_REASON;
    }
    if (address == 0) return _URC_END_OF_STACK;
    if (walk.record.frame_count == CrashRecord::max_frames) return _URC_END_OF_STACK;
    if (code_range_count > 0 && !is_code(address)) {
        walk.record.is_torn = true;
        return _URC_END_OF_STACK;
    }
    // Within the call, not behind it: that is the next line, or another function.
    add_frame(walk.record, address - (is_exact != 0 ? 0 : 1));
    return _URC_NO_REASON;
}

} // namespace

void note_stack(CrashRecord& record, void* context) {
    auto& machine = *static_cast<ucontext_t*>(context);
    Registers registers = registers_of(machine);
    add_frame(record, registers.instruction);
    const std::uintptr_t stack_end = look_at_memory(record, registers);
    record.is_stack_overflow = is_stack_overflow(record, registers);
    if (registers.instruction != 0 || registers.stack != 0) {
        record.left_the_code = code_range_count > 0 && !is_code(registers.instruction);
    }
    if (record.left_the_code) {
        if (!find_caller(record, registers, stack_end)) return;
        go_on_at(machine, registers);
        add_frame(record, registers.instruction);
    }
    Walk walk{record, registers.instruction};
    _Unwind_Backtrace(step, &walk);
    if (!walk.has_begun) record.is_torn = true;
}

// ---- The files

namespace {

// The file that a list of mappings is at.
struct File {
    std::uintptr_t base = 0;
    char path[sizeof CrashModule::path] = "";
    int module = -1; // in the record, once a frame lies in it

    bool is_another(const Mapping& mapping) const { return std::strncmp(path, mapping.path, sizeof path - 1) != 0; }
    void begin(const Mapping& mapping) {
        base = mapping.start;
        std::strncpy(path, mapping.path, sizeof path - 1);
        module = -1;
    }
};

int add_module(CrashRecord& record, const File& file) {
    if (record.module_count == CrashRecord::max_modules) return -1;
    CrashModule& module = record.modules[record.module_count];
    module.base = read_bias(file.base);
    std::memcpy(module.path, file.path, sizeof module.path);
    module.build_id_size = read_build_id(file.base, module.build_id, sizeof module.build_id);
    return static_cast<int>(record.module_count++);
}

} // namespace

void note_modules(CrashRecord& record) {
    const auto our_code = reinterpret_cast<std::uintptr_t>(&note_modules);
    std::uintptr_t our_base = 0;
    MemoryMap map;
    Mapping mapping;
    File file;
    while (map.next(mapping)) {
        if (mapping.path[0] == '\0') continue; // the zeroed memory behind a file's
        if (file.is_another(mapping)) file.begin(mapping);
        if (mapping.holds(our_code)) our_base = file.base;
        for (std::uint32_t i = 0; i < record.frame_count; ++i) {
            if (!mapping.holds(record.frames[i].address)) continue;
            if (file.module < 0) file.module = add_module(record, file);
            record.frames[i].module = file.module;
        }
    }
    const std::uintptr_t our_bias = read_bias(our_base);
    for (std::uint32_t i = 0; i < record.module_count; ++i) {
        record.modules[i].is_server = record.modules[i].base == our_bias;
    }
}

} // namespace cppcorn
