// What a proxy in front tells with header fields: X-Forwarded-Proto, SCRIPT_NAME and their kin. From a trusted peer
// they are read and passed on; from any other they are taken out, so that an app never believes a stranger (RFC
// 7239, 8.1).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "workers/http/request_head.hpp"
#include "workers/http/verdict.hpp"

namespace cppcorn::http {

struct SchemeHeader {
    std::string name;
    std::string value; // this one, letter by letter, means https; any other means http
};

// Names with `_` that a trusted peer may use whatever --header-map says. "*" means all of them. Case and the difference
// between `-` and `_` matter as they do to gunicorn: case does not, the other does.
class ForwarderNames {
  public:
    ForwarderNames() = default;
    explicit ForwarderNames(std::vector<std::string> names);

    bool contains(std::string_view name) const;
    bool holds_all() const { return holds_all_; }
    const std::vector<std::string>& names() const { return names_; }

  private:
    std::vector<std::string> names_;
    bool holds_all_ = false;
};

// Made once; does not allocate where a request brings no such field.
class ForwardingRules {
  public:
    ForwardingRules(std::vector<SchemeHeader> scheme_headers, ForwarderNames forwarder_names);

    struct ForwardedInfo {
        bool secure = false;
        std::string_view script_name; // without a slash at its end; a view into the head
        bool has_script_name = false; // an empty one is one, too
    };

    // Of a trusted peer. Refused if the fields contradict each other.
    Verdict read(const RequestHead& head, ForwardedInfo& info) const;
    // Of any other.
    void strip(RequestHead& head) const;

    const ForwarderNames& forwarder_names() const { return forwarder_names_; }

  private:
    static std::size_t index(char first) { return static_cast<unsigned char>(first); }
    bool is_forwarded_name(std::string_view name) const;
    Verdict read_field(const Field& field, bool& scheme_seen, ForwardedInfo& info) const;

    std::vector<SchemeHeader> scheme_headers_;
    ForwarderNames forwarder_names_;
    bool reads_script_name_;
    // Which letters the names begin with: most fields of a request need no more than this look.
    std::array<bool, 256> read_letters_{};
    std::array<bool, 256> strip_letters_{};
};

} // namespace cppcorn::http
