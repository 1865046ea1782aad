// One setting: what it is called, what it takes, and how its value goes into and comes out of Settings. The makers
// below cover the usual kinds of value; server/settings/rows/ has the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/settings/settings.hpp"

namespace cppcorn {

struct SettingValue {
    enum class Kind { none, flag, number, text, list };
    using Texts = std::vector<std::string>;

    Kind kind = Kind::none;
    // Takes all texts of one source; each but a list keeps the last. Throws std::invalid_argument, whose what() names
    // the text and what is allowed, and leaves the settings as they were.
    std::function<void(Settings&, const Texts&)> set;
    // Texts that set() would take; none for an empty list.
    std::function<Texts(const Settings&)> show;
};

struct Setting {
    enum class Group { config, socket, workers, limits, mechanics, proxies, logging, operating };
    enum class Scope { everywhere, command_line };

    std::vector<std::string> names;           // long flags without their dashes; the first is the one that is shown
    char short_flag = 0;                      // 0: none
    std::vector<std::string> file_names = {}; // further keys in the file: gunicorn's where its flags differ
    Group group = Group::config;              // set by the table
    Scope scope = Scope::everywhere;
    const char* value_name = nullptr; // as shown in --help; null for switches
    const char* bare_value = nullptr; // what the flag alone stands for; null where it needs a value
    const char* help = "";            // one sentence
    const char* environment = nullptr;
    const char* environment_prefix = ""; // stands in front of the variable's text: PORT is only a part of a bind
    SettingValue value = {};             // Kind::none: an action, not a value (--help)

    std::string key() const;  // in the file and in the origins: "max_requests"
    std::string flag() const; // "--max-requests"; "APP" for the positional
    bool is_positional() const { return short_flag == 0 && names.front() == "app"; }
    bool takes_value() const { return value_name != nullptr; }
    bool is_list() const { return value.kind == SettingValue::Kind::list; }
    // The default as --help and the reference show it: "none" where it is empty.
    std::string default_text() const;
};

// `-` and `_` are the same in names.
std::string normalized_name(std::string_view name);

// The settings before any source was read.
Settings default_settings();

// Texts to values. All throw std::invalid_argument. `or_else` is added to the message: ", or 'auto'".
std::uint64_t parse_whole_number(std::string_view text, std::uint64_t least, std::uint64_t most,
                                 std::string_view or_else = "");
Milliseconds parse_seconds(std::string_view text);
std::uint64_t parse_byte_count(std::string_view text, std::uint64_t least, std::uint64_t most);
bool parse_switch(std::string_view text);
std::pair<std::string, std::string> parse_variable(std::string_view text);
// The index of the text in `names`, in any case.
std::size_t parse_choice(std::string_view text, const std::vector<std::string>& names);

std::string show_seconds(Milliseconds time);
std::string show_byte_count(std::uint64_t count);

// The part of the settings in which a value is kept.
template <class Whole>
auto& part_of(Whole& settings, const Settings*) {
    return settings;
}
template <class Whole>
auto& part_of(Whole& settings, const WorkerSettings*) {
    return settings.worker;
}
template <class Whole>
auto& part_of(Whole& settings, const http::Limits*) {
    return settings.worker.limits;
}
template <class Whole>
auto& part_of(Whole& settings, const ErrorLogOptions*) {
    return settings.error_log;
}
template <class Whole>
auto& part_of(Whole& settings, const AccessLogOptions*) {
    return settings.access_log;
}

// Where a value is kept.
template <class Field, class Part>
auto field(Field Part::*member) {
    return [member](auto& settings) -> auto& {
        return part_of(settings, static_cast<const Part*>(nullptr)).*member;
    };
}

template <class Access, class Parse, class Show>
SettingValue single_value(SettingValue::Kind kind, Access access, Parse parse, Show show) {
    return {kind,
            [=](Settings& settings, const SettingValue::Texts& texts) {
                using Field = std::decay_t<decltype(access(settings))>;
                access(settings) = static_cast<Field>(parse(texts.back()));
            },
            [=](const Settings& settings) { return SettingValue::Texts{show(access(settings))}; }};
}

template <class Member>
SettingValue whole_number(Member member, std::uint64_t least, std::uint64_t most) {
    return single_value(
        SettingValue::Kind::number, field(member),
        [=](const std::string& text) { return parse_whole_number(text, least, most); },
        [](auto number) { return std::to_string(number); });
}

template <class Member>
SettingValue byte_count(Member member, std::uint64_t least, std::uint64_t most) {
    return single_value(
        SettingValue::Kind::number, field(member),
        [=](const std::string& text) { return parse_byte_count(text, least, most); }, show_byte_count);
}

template <class Part>
SettingValue seconds(Milliseconds Part::*member) {
    return single_value(SettingValue::Kind::number, field(member), parse_seconds, show_seconds);
}

template <class Part>
SettingValue on_off(bool Part::*member) {
    return single_value(SettingValue::Kind::flag, field(member), parse_switch,
                        [](bool is_on) { return std::string(is_on ? "true" : "false"); });
}

template <class Part>
SettingValue text(std::string Part::*member) {
    const auto same = [](const std::string& text) { return text; };
    return single_value(SettingValue::Kind::text, field(member), same, same);
}

inline SettingValue text_list(std::vector<std::string> Settings::*member) {
    return {SettingValue::Kind::list,
            [=](Settings& settings, const SettingValue::Texts& texts) { settings.*member = texts; },
            [=](const Settings& settings) { return settings.*member; }};
}

// `names` in the order of the enumeration's values.
template <class Enumeration, class Part>
SettingValue choice(Enumeration Part::*member, const std::vector<std::string>& names) {
    return single_value(
        SettingValue::Kind::text, field(member), [=](const std::string& text) { return parse_choice(text, names); },
        [=](Enumeration value) { return names.at(static_cast<std::size_t>(value)); });
}

// A text for which one value is possible so far.
template <class Part>
SettingValue only(std::string Part::*member, const char* allowed, const char* refusal) {
    const auto parse = [=](const std::string& text) {
        if (text != allowed) throw std::invalid_argument("'" + text + "' " + refusal);
        return text;
    };
    return single_value(SettingValue::Kind::text, field(member), parse, [](const std::string& text) { return text; });
}

} // namespace cppcorn
