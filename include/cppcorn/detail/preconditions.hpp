// The conditions of a request (RFC 9110, 13). Pure functions: for any thread.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <cppcorn/detail/entity_tags.hpp>
#include <cppcorn/detail/http_date.hpp>
#include <cppcorn/headers.hpp>

namespace cppcorn {
inline namespace kit {
namespace [[gnu::visibility("hidden")]] detail {

// What a file is compared by. A view: valid as long as the tag's text.
struct Validators {
    std::string_view tag;                // with its quotes; "" if there is none
    std::optional<std::time_t> modified; // as sent in Last-Modified
};

// The fields of a request that say when and what to send. Owns their values. A field that was sent several times has
// all of its values, with commas between: a list where it is one, and otherwise nothing that can be read.
struct Conditions {
    std::optional<std::string> if_match;
    std::optional<std::string> if_unmodified_since;
    std::optional<std::string> if_none_match;
    std::optional<std::string> if_modified_since;
    std::optional<std::string> if_range;
    std::optional<std::string> range;

    // From anything that is a sequence of pairs of name and value.
    template <class Fields>
    static Conditions read(const Fields& fields) {
        Conditions read;
        for (const auto& [name, value] : fields) {
            std::optional<std::string>* const field = read.find(name);
            if (field == nullptr) continue;
            if (field->has_value()) {
                (*field)->append(", ").append(value);
            } else {
                field->emplace(value);
            }
        }
        return read;
    }

  private:
    std::optional<std::string>* find(std::string_view name) {
        if (same_name(name, "Range")) return &range;
        if (name.size() < 3 || !same_name(name.substr(0, 3), "If-")) return nullptr;
        if (same_name(name, "If-Match")) return &if_match;
        if (same_name(name, "If-Unmodified-Since")) return &if_unmodified_since;
        if (same_name(name, "If-None-Match")) return &if_none_match;
        if (same_name(name, "If-Modified-Since")) return &if_modified_since;
        return same_name(name, "If-Range") ? &if_range : nullptr;
    }
};

enum class Precondition {
    holds,        // answer as if there were none
    not_modified, // 304
    failed,       // 412
};

// Of a GET or HEAD for a file that exists, in the order of RFC 9110, 13.2.2. A date that is none does not count, nor does
// any where the file has none.
inline Precondition check_preconditions(const Conditions& asked, const Validators& file, std::time_t now) {
    const auto unchanged_since = [&](const std::optional<std::string>& field) -> std::optional<bool> {
        if (!field.has_value() || !file.modified.has_value()) return std::nullopt;
        const auto date = read_http_date(without_spaces(*field), now);
        return date.has_value() ? std::optional(*file.modified <= *date) : std::nullopt;
    };
    if (asked.if_match.has_value()) {
        if (!covers_tag(*asked.if_match, file.tag, TagComparison::strong)) return Precondition::failed;
    } else if (!unchanged_since(asked.if_unmodified_since).value_or(true)) {
        return Precondition::failed;
    }
    const bool is_known = asked.if_none_match.has_value()
                              ? covers_tag(*asked.if_none_match, file.tag, TagComparison::weak)
                              : unchanged_since(asked.if_modified_since).value_or(false);
    return is_known ? Precondition::not_modified : Precondition::holds;
}

// Whether the Range field counts: what the client has a part of is what would be sent (RFC 9110, 13.1.5).
inline bool is_same_representation(const std::optional<std::string>& if_range, const Validators& file,
                                   std::time_t now) {
    if (!if_range.has_value()) return true;
    const std::string_view value = without_spaces(*if_range);
    if (tag_length(value) == value.size() && !value.empty()) return same_tag(value, file.tag, TagComparison::strong);
    const auto date = read_http_date(value, now);
    return date.has_value() && file.modified == date;
}

} // namespace detail
} // namespace kit
} // namespace cppcorn
