#include "workers/http/forwarded.hpp"

#include <algorithm>
#include <utility>

#include "workers/http/text.hpp"

namespace cppcorn::http {
namespace {

constexpr std::string_view script_name_field = "SCRIPT_NAME";
constexpr std::string_view forwarded_prefix = "x-forwarded-";

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// In CGI's terms, where `-` and `_` are the same: what an app might take for this name.
bool equal_as_variable(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y) || ((x == '-' || x == '_') && (y == '-' || y == '_'));
    });
}

void mark(std::array<bool, 256>& letters, char first) {
    letters[static_cast<unsigned char>(lower(first))] = letters[static_cast<unsigned char>(upper(first))] = true;
}

} // namespace

ForwarderNames::ForwarderNames(std::vector<std::string> names) : names_(std::move(names)) {
    holds_all_ = std::find(names_.begin(), names_.end(), "*") != names_.end();
}

bool ForwarderNames::contains(std::string_view name) const {
    return holds_all_ || std::any_of(names_.begin(), names_.end(),
                                     [&](const std::string& each) { return equal_ignoring_case(each, name); });
}

ForwardingRules::ForwardingRules(std::vector<SchemeHeader> scheme_headers, ForwarderNames forwarder_names)
    : scheme_headers_(std::move(scheme_headers)),
      forwarder_names_(std::move(forwarder_names)),
      reads_script_name_(forwarder_names_.contains(script_name_field)) {
    for (const auto& header : scheme_headers_) {
        mark(read_letters_, header.name.front());
        mark(strip_letters_, header.name.front());
    }
    if (reads_script_name_) mark(read_letters_, script_name_field.front());
    for (const auto& name : forwarder_names_.names()) mark(strip_letters_, name.front());
    for (const char first : {'x', 'f', script_name_field.front()}) mark(strip_letters_, first);
    if (forwarder_names_.holds_all()) strip_letters_.fill(true);
}

Verdict ForwardingRules::read(const RequestHead& head, ForwardedInfo& info) const {
    info = {};
    bool scheme_seen = false;
    for (const Field& field : head.fields) {
        if (!read_letters_[index(field.name.front())]) continue;
        const Verdict verdict = read_field(field, scheme_seen, info);
        if (!verdict.accepted()) return verdict;
    }
    return {};
}

Verdict ForwardingRules::read_field(const Field& field, bool& scheme_seen, ForwardedInfo& info) const {
    bool is_scheme = false;
    bool secure = false;
    for (const auto& header : scheme_headers_) {
        if (!equal_ignoring_case(field.name, header.name)) continue;
        is_scheme = true;
        secure = secure || field.value == header.value; // one name may be listed with several values
    }
    if (is_scheme && scheme_seen && secure != info.secure) return {400, "contradictory scheme headers"};
    if (is_scheme) info.secure = secure;
    scheme_seen = scheme_seen || is_scheme;
    if (!reads_script_name_ || !equal_ignoring_case(field.name, script_name_field)) return {};
    std::string_view script_name = field.value;
    if (!script_name.empty() && script_name.front() != '/') return {400, "malformed SCRIPT_NAME"};
    while (!script_name.empty() && script_name.back() == '/') script_name.remove_suffix(1);
    if (info.has_script_name && script_name != info.script_name) return {400, "contradictory SCRIPT_NAME"};
    info.has_script_name = true;
    info.script_name = script_name;
    return {};
}

void ForwardingRules::strip(RequestHead& head) const {
    const auto is_strangers = [this](const Field& field) {
        return strip_letters_[index(field.name.front())] && is_forwarded_name(field.name);
    };
    head.fields.erase(std::remove_if(head.fields.begin(), head.fields.end(), is_strangers), head.fields.end());
}

bool ForwardingRules::is_forwarded_name(std::string_view name) const {
    if (equal_as_variable(name.substr(0, forwarded_prefix.size()), forwarded_prefix)) return true;
    if (equal_as_variable(name, "forwarded") || equal_as_variable(name, script_name_field)) return true;
    for (const auto& header : scheme_headers_) {
        if (equal_as_variable(name, header.name)) return true;
    }
    if (forwarder_names_.holds_all() && name.find('_') != std::string_view::npos) return true;
    return std::any_of(forwarder_names_.names().begin(), forwarder_names_.names().end(),
                       [&](const std::string& each) { return equal_as_variable(name, each); });
}

} // namespace cppcorn::http
