// The app spec of the command line: MODULE[:NAME[(ARGS)]]. Parsing only; no file is looked at.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cppcorn {

// null, true/false, integer, real, text
using AppArgument = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct AppSpec {
    std::string module;       // "myapp", "./build/myapp.so"
    std::string name = "app"; // "app", "create"
    std::vector<AppArgument> arguments;
    std::string call; // for messages: `create("Ada", 2)`, or `app` where there are no parentheses
};

// what() is one line that names the spec and what is wrong with it. A usage error: exit code 2.
class AppSpecError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

AppSpec parse_app_spec(std::string_view text);

// A spec in its two parts, as they were written: for those who give them their own meaning.
struct AppSpecParts {
    std::string_view module;
    std::string_view call; // behind the colon; empty if there is none
};
AppSpecParts split_app_spec(std::string_view text);

// Whether the spec has the form of one for an interpreter, which may have what parse_app_spec() refuses: dotted names,
// and arguments of which only the interpreter knows what they are.
bool may_be_interpreted(std::string_view text);

} // namespace cppcorn
