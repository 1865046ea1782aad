// Where an app is mounted: the part of the path that belongs to the place, not to the app (RFC 3875, 4.1.5 and 4.1.13).
#pragma once

#include <string>
#include <string_view>

#include "workers/http/percent.hpp"

namespace cppcorn::http {

// The path below `script_name`, which has no slash at its end; "" for the mount point itself. A path that does not
// begin with it, segment by segment, is all below it: the proxy in front has taken the prefix off already.
constexpr std::string_view path_below(std::string_view path, std::string_view script_name) {
    if (path.substr(0, script_name.size()) != script_name) return path;
    const std::string_view rest = path.substr(script_name.size());
    return rest.empty() || rest.front() == '/' ? rest : path;
}

// `script_name` percent-decoded, as it is told to apps and compared with decoded paths, without a slash at its end.
// `memory` holds the text where that makes a difference.
inline std::string_view decoded_mount(std::string_view script_name, std::string& memory) {
    if (script_name.find('%') == std::string_view::npos) return script_name;
    percent_decode(script_name, memory);
    while (!memory.empty() && memory.back() == '/') memory.pop_back();
    return memory;
}

} // namespace cppcorn::http
