// Half of a module of several apps; the other half is multi_two.cpp.
#include <optional>
#include <string>

#include <cppcorn/app.hpp>

using namespace cppcorn;

Response one(Request&) {
    return {200, {{"Content-Type", "text/plain"}}, "one\n"};
}
CPPCORN_APP(one)

// multi:create("Ada", 2)
auto create(std::string name, int times) {
    return [name, times](Request&) -> Response {
        std::string text;
        for (int i = 0; i < times; ++i) text += "Hello, " + name + "!\n";
        return {200, {{"Content-Type", "text/plain"}}, text};
    };
}
CPPCORN_APP(create)

// multi:optional_create("Ada")
auto optional_create(std::string name, std::optional<int> times) {
    return create(name, times.value_or(1));
}
CPPCORN_APP(optional_create)
