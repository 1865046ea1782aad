#include "workers/http/fixdate.hpp"

#include "base/fixdate.hpp"

namespace cppcorn::http {

std::string imf_fixdate(std::int64_t seconds) {
    const auto text = fixdate(seconds);
    return {text.data(), text.size()};
}

} // namespace cppcorn::http
