#include "server/post_mortem/crash_text.hpp"

#include <algorithm>
#include <csignal>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/log/escape.hpp"
#include "base/signals.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view system_libraries[] = {"libc.so", "libc-",       "libstdc++.so", "libgcc_s.so",
                                                 "libm.so", "libpthread.", "ld-linux",     "ld-musl",
                                                 "libc++",  "[vdso]",      "libasan.so",   "libubsan."};
// What an app has of <cppcorn/app.hpp> between the server and itself.
constexpr std::string_view kit_prefix = "cppcorn::kit::detail::";

std::string_view name_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

const CrashModule* module_of(const CrashRecord& crash, std::size_t frame) {
    const int module = crash.frames[frame].module;
    return module < 0 ? nullptr : &crash.modules[module];
}

} // namespace

bool is_system_library(std::string_view path) {
    const std::string_view name = name_of(path);
    return std::any_of(std::begin(system_libraries), std::end(system_libraries),
                       [&](std::string_view start) { return name.substr(0, start.size()) == start; });
}

namespace {

// Its path without what the kernel adds.
std::string path_of(const CrashModule& module) {
    constexpr std::string_view mark = " (deleted)";
    std::string path = module.path;
    if (path.size() > mark.size() && path.compare(path.size() - mark.size(), mark.size(), mark) == 0) {
        path.resize(path.size() - mark.size());
    }
    return path;
}

// ---- The first line

std::string memory_text(const CrashRecord& crash) {
    switch (crash.memory) {
        case CrashMemory::unmapped:
            return ", where no memory is";
        case CrashMemory::inaccessible:
            return ", memory without access";
        case CrashMemory::read_only:
            return ", memory that is read only";
        default:
            return "";
    }
}

std::string fault_text(const CrashRecord& crash) {
    if (crash.code == SI_KERNEL) return "an impossible address";
    if (crash.is_stack_overflow) return fmt::format("stack overflow at address {:#x}", crash.address);
    if (crash.left_the_code) return fmt::format("a call or return to address {:#x}", crash.frames[0].address);
    if (crash.signal == SIGSEGV) return fmt::format("address {:#x}", crash.address) + memory_text(crash);
    if (crash.signal == SIGBUS && crash.code == BUS_ADRERR) {
        return fmt::format("address {:#x}, behind the end of a file that is mapped", crash.address);
    }
    if (crash.signal == SIGFPE && crash.code == FPE_INTDIV) return "division by zero";
    return fmt::format("address {:#x}", crash.address);
}

// Nothing of a process that has sent the signal to itself, as abort() does.
std::string cause_text(const CrashRecord& crash) {
    if (crash.code > 0) return " " + fault_text(crash) + ",";
    if (crash.sender == 0 || crash.sender == crash.process) return "";
    if (crash.sender == ::getpid()) return " sent by the master,";
    return fmt::format(" sent by pid {},", crash.sender);
}

std::string first_line(const Death& death) {
    if (!death.headline.empty()) return death.headline;
    const CrashRecord& crash = death.crash;
    if (crash.version == 0) {
        return fmt::format(
            "Stack of pid {} at {}: none, {}. Perhaps a stack overflow in a thread of the app's: only "
            "the thread that serves has a second stack to report from",
            death.pid, signal_name(death.signal), death.place);
    }
    std::string line = fmt::format("Stack of pid {} at {}:{} {}", death.pid, signal_name(crash.signal),
                                   cause_text(crash), death.place);
    if (crash.thread != crash.process) {
        line += fmt::format(", in thread {} ({})", crash.thread, escaped(crash.thread_name));
    }
    return line;
}

// ---- The frames

bool is_system_frame(const CrashRecord& crash, std::size_t frame) {
    const CrashModule* const module = module_of(crash, frame);
    return module != nullptr && !module->is_server && is_system_library(module->path);
}

bool is_kit(const CrashSymbols& symbols, std::size_t frame) {
    const auto& places = symbols.places_of(frame);
    return !places.empty() && std::all_of(places.begin(), places.end(), [](const SourcePlace& place) {
        return place.function.find(kit_prefix) != std::string::npos;
    });
}

std::string place_text(const SourcePlace& place) {
    std::string text = place.function.empty() ? "?" : place.function;
    if (!place.file.empty()) text += fmt::format(" at {}:{}", place.file, place.line);
    return text;
}

bool is_of_the_library(const SourcePlace& place) {
    return place.function.find(kit_prefix) != std::string::npos ||
           (place.is_inlined && place.file.find("/include/c++/") != std::string::npos);
}

// A line for each place of ours: of what is inlined, the location is the same.
void add_frame_lines(const CrashRecord& crash, const CrashSymbols& symbols, std::size_t frame, int number,
                     std::vector<std::string>& lines) {
    const std::string location = crash_location(crash, frame, symbols);
    const auto& places = symbols.places_of(frame);
    if (places.empty()) lines.push_back(fmt::format("  #{} {}", number, location));
    for (const SourcePlace& place : places) {
        if (is_of_the_library(place) && (number > 0 || &place != &places.front())) continue;
        lines.push_back(
            fmt::format("  #{} {}, {}", number, place_text(place), place.is_inlined ? "inlined" : location));
    }
}

struct Frames {
    std::vector<std::string> lines; // of the app
    std::vector<std::string> inner; // what the first of them had called, the outermost first
    std::size_t server = 0;         // how many are not shown
};

std::string short_name(const CrashRecord& crash, const CrashSymbols& symbols, std::size_t frame) {
    const CrashModule* const module = module_of(crash, frame);
    if (module != nullptr && module->is_server) return "the server";
    const auto& places = symbols.places_of(frame);
    const std::string file = module == nullptr ? crash_location(crash, frame) : std::string(name_of(module->path));
    return places.empty() || places.front().function.empty() ? file : places.front().function;
}

bool is_same_frame(const CrashRecord& crash, std::size_t one, std::size_t other) {
    return crash.frames[one].address == crash.frames[other].address;
}

// Without an app in it, the server's own frames are what there is to be told.
Frames frames_of(const CrashRecord& crash, const CrashSymbols& symbols) {
    Frames frames;
    const std::size_t count = crash.frame_count;
    const auto is_shown = [&](std::size_t i) { return is_app_frame(crash, i) && !is_kit(symbols, i); };
    std::size_t first = 0;
    while (first < count && !is_shown(first)) ++first;
    const bool has_app = first < count;
    for (std::size_t i = has_app ? first : 0, number = 0; i < count; ++i, ++number) {
        if (has_app && !is_shown(i)) {
            if (!is_system_frame(crash, i)) frames.server++;
            continue;
        }
        std::size_t last = i;
        while (last + 1 < count && is_same_frame(crash, i, last + 1)) ++last;
        add_frame_lines(crash, symbols, i, static_cast<int>(number), frames.lines);
        if (last > i && !frames.lines.empty()) {
            frames.lines.back() += fmt::format(", {} times", last - i + 1);
            number += last - i;
            i = last;
        }
    }
    for (std::size_t i = has_app ? first : 0; i > 0; --i) {
        if (i == 1 && crash.left_the_code) break; // that there is nothing is said above
        const std::string name = short_name(crash, symbols, i - 1);
        if (frames.inner.empty() || frames.inner.back() != name) frames.inner.push_back(name);
        if (name == "abort") break; // how that is done is nobody's concern
    }
    if (crash.exception[0] != '\0') frames.inner.clear(); // the same
    return frames;
}

// ---- What else is known

std::vector<std::string> fact_lines(const Death& death, const CrashSymbols& symbols) {
    const CrashRecord& crash = death.crash;
    std::vector<std::string> lines;
    if (crash.exception[0] != '\0') lines.push_back("  Uncaught " + escaped(crash.exception));
    if (!death.request.empty() && death.headline.empty()) {
        lines.push_back(fmt::format("  request: {} from {}, for {:.1f} s", escaped(death.request),
                                    death.client.empty() ? "a unix socket" : escaped(death.client), death.age.count()));
    }
    std::string line = fmt::format("  requests served before: {}", death.served);
    if (death.peak_kib > 0) line += fmt::format("; peak memory: {:.1f} MB", static_cast<double>(death.peak_kib) / 1024);
    lines.push_back(line);
    for (std::size_t i = 0; i < crash.module_count && lines.size() < 5; ++i) {
        const CrashModule& module = crash.modules[i];
        if (module.is_server || is_system_library(module.path)) continue;
        const std::string id = build_id_text(module);
        const std::string note = symbols.note_of(i);
        const std::string path = symbols.path_of(i).empty() ? path_of(module) : symbols.path_of(i);
        line = fmt::format("  {}: {}", name_of(path), id.empty() ? "no build id" : "build id " + id);
        lines.push_back(note.empty() ? line : line + "; " + note);
    }
    return lines;
}

void add_frames(const CrashRecord& crash, const CrashSymbols& symbols, std::size_t room,
                std::vector<std::string>& lines) {
    Frames frames = frames_of(crash, symbols);
    std::vector<std::string> rest;
    if (!frames.inner.empty()) rest.push_back("  #0 was in: " + fmt::format("{}", fmt::join(frames.inner, " > ")));
    std::string hidden = frames.server == 0 ? "" : fmt::format("  … {} frames of the server", frames.server);
    if (crash.frame_count == CrashRecord::max_frames) hidden = "  … and frames further down";
    if (crash.is_torn) hidden += hidden.empty() ? "  … the stack is broken here" : "; the stack is broken further down";
    if (crash.is_guessed) hidden += hidden.empty() ? "  … #1 on is a guess" : "; #1 on is a guess";
    if (!hidden.empty()) rest.push_back(hidden);
    const std::size_t most = room - rest.size();
    if (frames.lines.size() > most) {
        const std::size_t left_out = frames.lines.size() - (most - 1);
        frames.lines.resize(most - 1);
        frames.lines.push_back(fmt::format("  … {} more lines like these", left_out));
    }
    lines.insert(lines.end(), frames.lines.begin(), frames.lines.end());
    lines.insert(lines.end(), rest.begin(), rest.end());
}

} // namespace

bool is_app_frame(const CrashRecord& crash, std::size_t frame) {
    const CrashModule* const module = module_of(crash, frame);
    return module != nullptr && !module->is_server && !is_system_library(module->path);
}

std::string crash_location(const CrashRecord& crash, std::size_t frame, const CrashSymbols& symbols) {
    const std::uint64_t address = crash.frames[frame].address;
    const CrashModule* const module = module_of(crash, frame);
    if (module == nullptr) return fmt::format("[{:#x}]", address);
    const std::string path = symbols.path_of(static_cast<std::size_t>(crash.frames[frame].module));
    return fmt::format("{}(+{:#x})", path.empty() ? path_of(*module) : path, address - module->base);
}

std::string build_id_text(const CrashModule& module) {
    std::string text;
    for (int i = 0; i < module.build_id_size; ++i) text += fmt::format("{:02x}", module.build_id[i]);
    return text;
}

std::string crash_text(const Death& death, const CrashSymbols& symbols) {
    std::vector<std::string> lines{first_line(death)};
    const std::vector<std::string> facts = fact_lines(death, symbols);
    add_frames(death.crash, symbols, most_crash_lines - lines.size() - facts.size(), lines);
    lines.insert(lines.end(), facts.begin(), facts.end());
    std::string text = fmt::format("{}", fmt::join(lines, "\n"));
    // Paths and names are the app's; what they hold is not to look like another line.
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return (c < ' ' && c != '\n') || c == 0x7f; }, '?');
    return text;
}

} // namespace cppcorn
