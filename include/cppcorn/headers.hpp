// The header fields of a response, in the order in which they are sent.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cppcorn {
inline namespace kit {

namespace [[gnu::visibility("hidden")]] detail {

// ASCII only, whatever the locale: field names know no others.
constexpr char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

constexpr bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

} // namespace detail

// Owns its names and values. Names are compared regardless of case. Nothing is checked here: the server refuses what
// cannot be sent (a line break in a value, say), and the client gets a 500.
class Headers {
  public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    // Headers{{"Content-Type", "text/plain"}, {"X-Count", std::to_string(n)}}
    Headers(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
        fields_.reserve(fields.size());
        for (const auto& [name, value] : fields) add(name, value);
    }

    // Appends a field, even if there is one of that name already (Set-Cookie, Vary, Link).
    Headers& add(std::string_view name, std::string_view value) {
        fields_.emplace_back(name, value);
        return *this;
    }

    // Makes it the only field of that name.
    Headers& set(std::string_view name, std::string_view value) {
        const auto same = [name](const Field& field) { return detail::same_name(field.first, name); };
        const auto first = std::find_if(fields_.begin(), fields_.end(), same);
        if (first == fields_.end()) return add(name, value);
        first->second = value;
        fields_.erase(std::remove_if(first + 1, fields_.end(), same), fields_.end());
        return *this;
    }

    void remove(std::string_view name) {
        std::erase_if(fields_, [name](const Field& field) { return detail::same_name(field.first, name); });
    }

    // The value of the first field of that name. Valid until the headers change.
    std::optional<std::string_view> find(std::string_view name) const {
        for (const auto& [known, value] : fields_) {
            if (detail::same_name(known, name)) return value;
        }
        return std::nullopt;
    }

    bool contains(std::string_view name) const { return find(name).has_value(); }

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    std::size_t size() const { return fields_.size(); }
    bool empty() const { return fields_.empty(); }

  private:
    std::vector<Field> fields_;
};

} // namespace kit
} // namespace cppcorn
