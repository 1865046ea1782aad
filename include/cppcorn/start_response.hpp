// WSGI's start_response.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <cppcorn/headers.hpp>

namespace cppcorn {
inline namespace kit {

// start_response("200 OK", {{"Content-Type", "text/plain"}});
//
// Call it once, before the app returns its body; a generator may call it in its first step. Nothing is sent yet:
// middleware may still change the headers. Valid until the response is complete.
class StartResponse {
  public:
    StartResponse() = default;
    StartResponse(const StartResponse&) = delete;
    StartResponse& operator=(const StartResponse&) = delete;

    // Throws std::invalid_argument if the status does not begin with three digits, std::logic_error when called twice.
    // The text after the digits is sent as the reason phrase, by a server of ABI 1.1 or later; clients ignore it.
    void operator()(std::string_view status, Headers headers = {}) {
        if (status_ != 0) throw std::logic_error("start_response called twice");
        status_ = parse(status);
        reason_ = status.size() > 4 ? status.substr(4) : std::string_view();
        headers_ = std::move(headers);
    }

    bool called() const { return status_ != 0; }
    int status() const { return status_; } // 0: not called yet
    const std::string& reason() const { return reason_; }
    Headers& headers() { return headers_; }

  private:
    static int parse(std::string_view status) {
        int code = 0;
        for (const char c : status.substr(0, 3)) code = c >= '0' && c <= '9' ? code * 10 + (c - '0') : -1000;
        if (code < 100 || (status.size() > 3 && status[3] != ' ')) {
            throw std::invalid_argument("start_response: no status: \"" + std::string(status) + '"');
        }
        return code;
    }

    int status_ = 0;
    std::string reason_;
    Headers headers_;
};

} // namespace kit
} // namespace cppcorn
