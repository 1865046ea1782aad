// Needs a function that nobody provides.
#include <cppcorn/app.hpp>

int nobody_provides_this();

cppcorn::Response app(cppcorn::Request&) {
    return {200, {}, std::to_string(nobody_provides_this())};
}
CPPCORN_APP(app)
