// The cases of tests/corpus/http; its README tells the format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corpus {

struct Case {
    std::string name; // "file: case"
    std::string bytes;
    std::vector<std::string> expected; // "accept GET /a body", "last …", "refuse 400", "more"; nothing escaped
};

// Throws std::runtime_error that names file and line for what is not in the format.
std::vector<Case> read_cases(const std::string& folder);

// "\r", "\n", "\t", "\\", "\x0b", and "\3(ab)" for "ababab".
std::string unescaped(std::string_view text);

} // namespace corpus
