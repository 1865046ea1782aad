// Entity tags and lists of them, as conditions have them (RFC 9110, 8.8.3 and 13.1). Pure functions: for any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

constexpr std::string_view without_spaces(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

constexpr bool is_weak_tag(std::string_view tag) {
    return tag.starts_with("W/");
}

constexpr std::string_view opaque_part(std::string_view tag) {
    return is_weak_tag(tag) ? tag.substr(2) : tag;
}

// "Strong": both have to be strong. "Weak": marks of weakness do not count.
enum class TagComparison { strong, weak };

constexpr bool same_tag(std::string_view a, std::string_view b, TagComparison comparison) {
    if (comparison == TagComparison::strong && (is_weak_tag(a) || is_weak_tag(b))) return false;
    return opaque_part(a) == opaque_part(b);
}

// The length of the entity tag that a text begins with; 0 if it begins with none.
constexpr std::size_t tag_length(std::string_view text) {
    const std::size_t quote = is_weak_tag(text) ? 2 : 0;
    if (quote >= text.size() || text[quote] != '"') return 0;
    for (std::size_t i = quote + 1; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (byte == '"') return i + 1;
        if (byte < 0x21 || byte == 0x7f) return 0;
    }
    return 0;
}

// Whether the value of If-Match or If-None-Match covers this tag: "*" covers each. What is no tag covers none.
constexpr bool covers_tag(std::string_view list, std::string_view tag, TagComparison comparison) {
    list = without_spaces(list);
    if (list == "*") return true;
    while (!list.empty()) {
        const std::size_t length = tag_length(list);
        std::size_t end = std::min(list.find(',', length), list.size());
        const bool stands_alone = without_spaces(list.substr(length, end - length)).empty();
        if (length > 0 && stands_alone && same_tag(list.substr(0, length), tag, comparison)) return true;
        list = without_spaces(list.substr(std::min(end + 1, list.size())));
    }
    return false;
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
