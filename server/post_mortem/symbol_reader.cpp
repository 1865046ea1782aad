#include "server/post_mortem/symbol_reader.hpp"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <cxxabi.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crash_record.hpp"
#include "server/post_mortem/crash_text.hpp"
#include "server/post_mortem/elf_symbols.hpp"
#include "server/post_mortem/libdw.hpp"
#include "server/post_mortem/symbols.hpp"
#include "server/post_mortem/unwinder.hpp"
#include "workers/app/private_copy.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CPPCORN_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define CPPCORN_SANITIZED 1
#endif

namespace cppcorn {
namespace {

constexpr unsigned most_seconds = 20; // the master is less patient; this is for when it is gone
constexpr rlim_t most_output = rlim_t{1} << 20;
constexpr std::size_t longest_name = 300;

void limit(decltype(RLIMIT_CORE) resource, rlim_t most) {
    const rlimit value{most, most};
    ::setrlimit(resource, &value);
}

void limit_ourselves() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::alarm(most_seconds);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, most_output);
#if !defined(CPPCORN_SANITIZED) // which takes much more
    limit(RLIMIT_DATA, rlim_t{2} << 30);
#endif
    ::unsetenv("DEBUGINFOD_URLS"); // nothing is to be fetched from anywhere
}

// The names that people know, for those that the compiler sees.
constexpr std::pair<std::string_view, std::string_view> short_names[] = {
    {"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >", "std::string"},
    {"std::basic_string_view<char, std::char_traits<char> >", "std::string_view"},
    {"std::__cxx11::", "std::"},
    {"cppcorn::kit::Re", "cppcorn::Re"}, // Request, Response
};

void shorten(std::string& text) {
    for (const auto& [name, short_name] : short_names) {
        for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += short_name.size()) {
            text.replace(at, name.size(), short_name);
        }
    }
    if (text.size() > longest_name) text.replace(longest_name, std::string::npos, "…");
}

std::string demangled(const std::string& name) {
    const std::unique_ptr<char, void (*)(void*)> plain(
        name.substr(0, 2) == "_Z" ? abi::__cxa_demangle(name.c_str(), nullptr, nullptr, nullptr) : nullptr, std::free);
    std::string text = plain == nullptr ? name : plain.get();
    shorten(text);
    return text;
}

class Lookup {
  public:
    Lookup(const CrashRecord& record, int fd) : record_(record), fd_(fd) {}

    // What needs no library first, then, frame by frame, what may crash or take too long.
    void run() {
        for (std::uint32_t i = 0; i < record_.module_count; ++i) look_up_symbols(static_cast<int>(i));
        for (std::uint32_t i = 0; i < record_.module_count; ++i) look_up_source(static_cast<int>(i));
    }

  private:
    void look_up_symbols(int number) {
        const CrashModule& module = record_.modules[number];
        const std::string_view path = module.path;
        if (path.substr(0, 1) != "/") return; // "[vdso]"
        CrashSymbols symbols;
        const ElfSymbols file(module.path);
        const std::string_view build_id(reinterpret_cast<const char*>(module.build_id), module.build_id_size);
        const bool is_same = file.is_open() && file.build_id() == build_id;
        is_usable_[number] = is_same;
        if (!is_same) {
            symbols.module_notes.resize(static_cast<std::size_t>(number) + 1);
            symbols.module_notes.back() = file.is_open() ? "the file is another one by now" : "the file cannot be read";
            return send(symbols);
        }
        const std::string original = original_of_copy(module.path);
        if (!original.empty() && !build_id.empty() && ElfSymbols(original).build_id() == build_id) {
            symbols.module_paths.resize(static_cast<std::size_t>(number) + 1);
            symbols.module_paths.back() = original;
        }
        each_frame_of(number, [&](std::size_t frame, std::uint64_t address) {
            const std::string name(file.function_at(address));
            if (name.empty()) return;
            symbols.frames.resize(frame + 1);
            symbols.frames[frame].places = {{demangled(name), "", 0, false}};
        });
        send(symbols);
    }

    void look_up_source(int number) {
        if (!is_usable_[number] || is_system_library(record_.modules[number].path)) return;
        const std::unique_ptr<DebugInfo> info = open_debug_info(record_.modules[number].path);
        if (info == nullptr) return;
        each_frame_of(number, [&](std::size_t frame, std::uint64_t address) {
            CrashSymbols symbols;
            symbols.frames.resize(frame + 1);
            symbols.frames[frame].places = info->places_at(address);
            for (SourcePlace& place : symbols.frames[frame].places) place.function = demangled(place.function);
            if (!symbols.frames[frame].places.empty()) send(symbols);
        });
    }

    template <class Function>
    void each_frame_of(int module, const Function& function) {
        for (std::uint32_t i = 0; i < record_.frame_count; ++i) {
            const CrashFrame& frame = record_.frames[i];
            if (frame.module == module) function(std::size_t{i}, frame.address - record_.modules[module].base);
        }
    }

    void send(const CrashSymbols& symbols) {
        const std::string text = write_symbols(symbols);
        [[maybe_unused]] const auto ignored = ::write(fd_, text.data(), text.size());
    }

    const CrashRecord& record_;
    const int fd_;
    bool is_usable_[CrashRecord::max_modules]{};
};

bool fill_in(CrashRecord& record) {
    constexpr std::size_t most = sizeof(LiveStack) + LiveStack::most_stack + LiveStack::most_maps;
    std::string copy(most, '\0');
    const ssize_t size = ::pread(symbol_reader_fd, copy.data(), copy.size(), live_stack_at);
    copy.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    const auto view = view_of(copy);
    if (!view) return false;
    record = unwind(*view);
    return ::pwrite(symbol_reader_fd, &record, sizeof record, 0) == sizeof record;
}

} // namespace

int run_symbol_reader() {
    limit_ourselves();
    auto record = std::make_unique<CrashRecord>();
    if (::pread(symbol_reader_fd, record.get(), sizeof *record, 0) != sizeof *record) return EXIT_FAILURE;
    *record = checked(*record);
    if (record->signal == 0 && !fill_in(*record)) return EXIT_FAILURE;
    ::lseek(symbol_reader_fd, sizeof *record, SEEK_SET);
    Lookup(*record, symbol_reader_fd).run();
    return EXIT_SUCCESS;
}

} // namespace cppcorn
