#include "server/post_mortem/symbols.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/crash_record.hpp"

namespace cppcorn {
namespace {

constexpr std::string_view header = "cppcorn-symbols 1";
constexpr char separator = '\t';
constexpr std::size_t most_places = 16; // of one frame

// One field of a line: without what would end it.
std::string plain(std::string_view text) {
    std::string field;
    for (const char c : text) field += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
    return field;
}

std::string_view take(std::string_view& rest, char end) {
    const auto at = rest.find(end);
    const std::string_view taken = rest.substr(0, at);
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return taken;
}

bool read_number(std::string_view text, unsigned& number) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    return result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

void set(std::vector<std::string>& texts, std::size_t number, std::string text) {
    if (texts.size() <= number) texts.resize(number + 1);
    texts[number] = std::move(text);
}

std::string text_at(const std::vector<std::string>& texts, std::size_t number) {
    return number < texts.size() ? texts[number] : "";
}

void append_lines(std::string& to, std::string_view kind, const std::vector<std::string>& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (!texts[i].empty()) to += fmt::format("{}\t{}\t{}\n", kind, i, plain(texts[i]));
    }
}

// Takes up one line after the other.
class Reader {
  public:
    void read(std::string_view line);
    CrashSymbols symbols() { return std::move(symbols_); }

  private:
    void read_place(unsigned frame, std::string_view rest);

    CrashSymbols symbols_;
    unsigned part_ = 0;
    std::array<unsigned, CrashRecord::max_frames> part_of_frame_{}; // in which its places stood
};

void Reader::read_place(unsigned frame, std::string_view rest) {
    if (frame >= CrashRecord::max_frames) return;
    if (symbols_.frames.size() <= frame) symbols_.frames.resize(frame + 1);
    auto& places = symbols_.frames[frame].places;
    if (std::exchange(part_of_frame_[frame], part_) != part_) places.clear();
    if (places.size() == most_places) return;
    SourcePlace place;
    place.is_inlined = take(rest, separator) == "inlined";
    place.function = plain(take(rest, separator));
    place.file = plain(take(rest, separator));
    if (!read_number(take(rest, separator), place.line)) place.line = 0;
    places.push_back(std::move(place));
}

void Reader::read(std::string_view line) {
    if (line == header) part_++;
    if (part_ == 0) return; // of another version
    const std::string_view kind = take(line, separator);
    unsigned number = 0;
    if (!read_number(take(line, separator), number)) return;
    if (kind == "frame") read_place(number, line);
    if (number >= CrashRecord::max_modules) return;
    if (kind == "module") set(symbols_.module_notes, number, plain(line));
    if (kind == "path") set(symbols_.module_paths, number, plain(line));
}

} // namespace

const std::vector<SourcePlace>& CrashSymbols::places_of(std::size_t frame) const {
    static const std::vector<SourcePlace> none;
    return frame < frames.size() ? frames[frame].places : none;
}

std::string CrashSymbols::note_of(std::size_t module) const {
    return text_at(module_notes, module);
}

std::string CrashSymbols::path_of(std::size_t module) const {
    return text_at(module_paths, module);
}

std::string write_symbols(const CrashSymbols& symbols) {
    std::string text(header);
    text += '\n';
    for (std::size_t i = 0; i < symbols.frames.size(); ++i) {
        for (const SourcePlace& place : symbols.frames[i].places) {
            text += fmt::format("frame\t{}\t{}\t{}\t{}\t{}\n", i, place.is_inlined ? "inlined" : "called",
                                plain(place.function), plain(place.file), place.line);
        }
    }
    append_lines(text, "module", symbols.module_notes);
    append_lines(text, "path", symbols.module_paths);
    return text;
}

CrashSymbols read_symbols(std::string_view text) {
    Reader reader;
    // A last line without an end is not whole.
    while (text.find('\n') != std::string_view::npos) reader.read(take(text, '\n'));
    return reader.symbols();
}

} // namespace cppcorn
