#include "tests/unit/workers/http/corpus.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace corpus {
namespace {

// What stands behind a backslash; moves `at` behind it.
std::string escape_at(std::string_view text, std::size_t& at) {
    const char kind = at < text.size() ? text[at] : '\0';
    if (kind >= '1' && kind <= '9') {
        const std::size_t open = text.find('(', at), close = text.find(')', at);
        if (open > close || close == std::string_view::npos) throw std::runtime_error("a repetition without its text");
        const std::string piece = unescaped(text.substr(open + 1, close - open - 1));
        std::string out;
        for (int count = std::stoi(std::string(text.substr(at, open - at))); count > 0; --count) out += piece;
        at = close + 1;
        return out;
    }
    if (kind == 'x' && at + 2 < text.size()) {
        const int code = std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16);
        at += 3;
        return std::string(1, static_cast<char>(code));
    }
    const std::size_t plain = std::string_view("rnt\\").find(kind);
    if (plain == std::string_view::npos) throw std::runtime_error("an escape that is none");
    ++at;
    return std::string(1, "\r\n\t\\"[plain]);
}

void take_line(const std::string& line, const std::string& file, std::vector<Case>& cases) {
    if (line.empty() || line[0] == '#') return;
    const std::size_t colon = line.find(": ");
    const std::string key = line.substr(0, colon), value = colon < line.size() ? line.substr(colon + 2) : "";
    if (key == "case") {
        cases.push_back({file + ": " + value, "", {}});
        return;
    }
    if (cases.empty()) throw std::runtime_error("no case yet");
    if (key == "send") {
        cases.back().bytes += unescaped(value);
    } else if (key == "accept" || key == "last" || key == "refuse") {
        cases.back().expected.push_back(key + " " + unescaped(value));
    } else if (line == "more") {
        cases.back().expected.push_back(line);
    } else {
        throw std::runtime_error("not a line of the format");
    }
}

} // namespace

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at++];
        out += c == '\\' ? escape_at(text, at) : std::string(1, c);
    }
    return out;
}

std::vector<Case> read_cases(const std::string& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".txt") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Case> cases;
    for (const auto& path : files) {
        std::ifstream file(path);
        std::string line;
        for (int number = 1; std::getline(file, line); ++number) try {
                take_line(line, path.stem().string(), cases);
            } catch (const std::exception& error) {
                throw std::runtime_error(path.string() + ":" + std::to_string(number) + ": " + error.what());
            }
    }
    return cases;
}

} // namespace corpus
