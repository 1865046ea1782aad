#include "server/settings/shell_words.hpp"

#include <stdexcept>

namespace cppcorn {
namespace {

class Splitter {
  public:
    explicit Splitter(std::string_view line) : line_(line) {}

    std::vector<std::string> split() {
        while (place_ < line_.size()) {
            const char c = next();
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                end_word();
            } else {
                in_word_ = true;
                take(c);
            }
        }
        end_word();
        return std::move(words_);
    }

  private:
    char next() { return line_[place_++]; }

    void take(char c) {
        if (c == '\'') return take_single_quoted();
        if (c == '"') return take_double_quoted();
        word_ += c == '\\' ? escaped() : c;
    }

    char escaped() {
        if (place_ == line_.size()) throw std::invalid_argument("ends with a backslash that escapes nothing");
        return next();
    }

    void take_single_quoted() {
        const auto end = line_.find('\'', place_);
        if (end == std::string_view::npos) throw std::invalid_argument("has a ' that is not closed");
        word_ += line_.substr(place_, end - place_);
        place_ = end + 1;
    }

    void take_double_quoted() {
        while (place_ < line_.size()) {
            const char c = next();
            if (c == '"') return;
            const bool is_escape = c == '\\' && place_ < line_.size() &&
                                   std::string_view("\"\\$`").find(line_[place_]) != std::string_view::npos;
            word_ += is_escape ? next() : c;
        }
        throw std::invalid_argument("has a \" that is not closed");
    }

    void end_word() {
        if (in_word_) words_.push_back(std::move(word_));
        word_.clear();
        in_word_ = false;
    }

    std::string_view line_;
    std::size_t place_ = 0;
    std::string word_;
    bool in_word_ = false; // tells an empty word ('') from none
    std::vector<std::string> words_;
};

} // namespace

std::vector<std::string> split_shell_words(std::string_view line) {
    return Splitter(line).split();
}

} // namespace cppcorn
