#include "server/post_mortem/unwinder.hpp"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

#include "server/post_mortem/elf_symbols.hpp"
#include "server/post_mortem/stack_walk.hpp"

namespace cppcorn {
namespace {

std::string program() {
    std::string path(PATH_MAX, '\0');
    const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
    path.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return path;
}

std::string_view take_word(std::string_view& line) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    return word;
}

std::uint64_t hexadecimal(std::string_view text) {
    return std::strtoull(std::string(text).c_str(), nullptr, 16);
}

// The kernel says so of one that was removed, or that another one has replaced.
bool is_there(std::string_view path) {
    constexpr std::string_view mark = " (deleted)";
    const bool is_deleted = path.size() >= mark.size() && path.substr(path.size() - mark.size()) == mark;
    return !is_deleted && path.front() == '/';
}

const MappedFile* file_at(const std::vector<MappedFile>& files, std::uint64_t address) {
    const auto found = std::find_if(files.begin(), files.end(), [&](const MappedFile& file) {
        return address >= file.start && address < file.end;
    });
    return found == files.end() ? nullptr : &*found;
}

int module_of(CrashRecord& record, const MappedFile& file, const std::string& server) {
    for (std::uint32_t i = 0; i < record.module_count; ++i) {
        if (record.modules[i].base == file.base) return static_cast<int>(i);
    }
    if (record.module_count == CrashRecord::max_modules) return -1;
    CrashModule& module = record.modules[record.module_count];
    module.base = file.base;
    file.path.copy(module.path, sizeof module.path - 1);
    module.is_server = file.path == server;
    const std::string id = file.is_same ? std::string(ElfSymbols(file.path).build_id()) : "";
    module.build_id_size = static_cast<std::uint8_t>(std::min(id.size(), sizeof module.build_id));
    std::memcpy(module.build_id, id.data(), module.build_id_size);
    return static_cast<int>(record.module_count++);
}

} // namespace

std::optional<LiveStackView> view_of(std::string_view copy) {
    LiveStackView view{};
    if (copy.size() < sizeof view.live) return std::nullopt;
    std::memcpy(&view.live, copy.data(), sizeof view.live);
    copy.remove_prefix(sizeof view.live);
    if (copy.size() < std::size_t{view.live.stack_size} + view.live.maps_size) return std::nullopt;
    view.stack = copy.substr(0, view.live.stack_size);
    view.maps = copy.substr(view.live.stack_size, view.live.maps_size);
    return view;
}

// "7f30-7f40 r-xp 00001000 fe:01 4711     /srv/app.so"
std::vector<MappedFile> mapped_files(std::string_view maps) {
    std::vector<MappedFile> files;
    while (!maps.empty()) {
        std::string_view line = maps.substr(0, maps.find('\n'));
        maps.remove_prefix(std::min(line.size() + 1, maps.size()));
        const std::string_view range = take_word(line);
        const std::string_view rights = take_word(line);
        MappedFile file;
        file.start = hexadecimal(range);
        file.end = hexadecimal(range.substr(std::min(range.find('-') + 1, range.size())));
        file.offset = hexadecimal(take_word(line));
        take_word(line); // device and
        take_word(line); // inode
        file.path = line;
        if (file.path.empty()) continue;
        file.is_executable = rights.find('x') != std::string_view::npos;
        const bool goes_on = !files.empty() && files.back().path == file.path;
        file.base = goes_on ? files.back().base : file.start;
        file.is_same = is_there(file.path);
        files.push_back(file);
    }
    return files;
}

CrashRecord unwind(const LiveStackView& copy) {
    CrashRecord record{};
    record.version = CrashRecord::current_version;
    record.process = record.thread = copy.live.process;
    const std::vector<MappedFile> files = mapped_files(copy.maps);
    const std::string server = program();
    const auto is_server = [&](std::uint64_t address) {
        const MappedFile* const file = file_at(files, address);
        return file != nullptr && file->path == server;
    };
    std::vector<std::uint64_t> addresses = walk_by_debug_info(copy);
    // Each request is served by the server: a stack that does not come from there was lost on its way.
    if (std::none_of(addresses.begin(), addresses.end(), is_server)) {
        addresses = walk_by_returns(copy, files);
        record.is_guessed = true;
    }
    for (const std::uint64_t address : addresses) {
        if (record.frame_count == CrashRecord::max_frames) break;
        const MappedFile* const file = file_at(files, address);
        record.frames[record.frame_count++] = {address, file == nullptr ? -1 : module_of(record, *file, server)};
    }
    return record;
}

} // namespace cppcorn
