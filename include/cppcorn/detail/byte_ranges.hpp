// The Range field for bytes (RFC 9110, 14). Pure functions: for any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include <cppcorn/detail/entity_tags.hpp>
#include <cppcorn/headers.hpp>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

struct ByteRange {
    std::int64_t first = 0;
    std::int64_t last = 0; // inclusive

    constexpr std::int64_t size() const { return last - first + 1; }
    constexpr bool operator==(const ByteRange&) const = default;
};

// What a Range field asks of a file.
struct RangeChoice {
    enum class Kind {
        whole,         // the field does not count: all of the file
        part,          // these bytes
        unsatisfiable, // 416
    };
    Kind kind = Kind::whole;
    ByteRange range = {};

    constexpr bool operator==(const RangeChoice&) const = default;
};

// Digits only; as much as fits. std::nullopt for any other text.
constexpr std::optional<std::int64_t> read_position(std::string_view digits) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (digits.empty()) return std::nullopt;
    std::int64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value > (most - (c - '0')) / 10 ? most : value * 10 + (c - '0');
    }
    return value;
}

// One range as it was asked for: "0-499", "500-" or "-500".
struct RangeSpec {
    std::optional<std::int64_t> first;
    std::optional<std::int64_t> last; // the length of a suffix if there is no `first`

    static constexpr std::optional<RangeSpec> read(std::string_view text) {
        const std::size_t dash = text.find('-');
        if (dash == std::string_view::npos) return std::nullopt;
        const std::string_view before = text.substr(0, dash);
        const std::string_view after = text.substr(dash + 1);
        const RangeSpec spec{read_position(before), read_position(after)};
        const bool is_valid = spec.first.has_value()
                                  ? after.empty() || (spec.last.has_value() && *spec.last >= *spec.first)
                                  : before.empty() && spec.last.has_value();
        return is_valid ? std::optional(spec) : std::nullopt;
    }

    // Its bytes in a file of this size, if there are any.
    constexpr std::optional<ByteRange> within(std::int64_t size) const {
        const std::int64_t begin = first.value_or(size - std::min(size, last.value_or(0)));
        if (begin >= size) return std::nullopt;
        return ByteRange{begin, first.has_value() ? std::min(last.value_or(size - 1), size - 1) : size - 1};
    }
};

// The one range that these make if they overlap or touch; several that do not are std::nullopt.
inline std::optional<ByteRange> joined(std::vector<ByteRange> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    ByteRange all = ranges.front();
    for (const ByteRange& range : ranges) {
        if (range.first > all.last + 1) return std::nullopt;
        all.last = std::max(all.last, range.last);
    }
    return all;
}

// What the value of a Range field asks of a file of this size. Ranges that make one piece are given as one. For several
// pieces it is the whole file, which RFC 9110 allows: a multipart answer is for clients that nobody has any more. The
// whole, too, where the field is malformed or its unit is not bytes.
inline RangeChoice choose_range(std::string_view value, std::int64_t size) {
    constexpr std::string_view unit = "bytes=";
    if (!same_name(value.substr(0, unit.size()), unit)) return {};
    value.remove_prefix(unit.size());
    std::vector<ByteRange> found;
    bool is_any_asked = false;
    for (bool is_last = false; !is_last;) {
        const std::size_t comma = value.find(',');
        const std::string_view text = without_spaces(value.substr(0, comma));
        is_last = comma == std::string_view::npos;
        if (!is_last) value.remove_prefix(comma + 1);
        if (text.empty()) continue;
        const auto spec = RangeSpec::read(text);
        if (!spec.has_value()) return {};
        is_any_asked = true;
        // No range of an empty file can be named in an answer.
        if (size == 0 && !spec->first.has_value() && *spec->last > 0) return {};
        if (const auto range = spec->within(size)) found.push_back(*range);
    }
    if (!is_any_asked) return {};
    if (found.empty()) return {RangeChoice::Kind::unsatisfiable};
    const auto range = joined(std::move(found));
    if (!range.has_value()) return {};
    return {RangeChoice::Kind::part, *range};
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
