// wsgi.input: the request's body as a file that is read from.
#pragma once

#include <string>
#include <string_view>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"
#include "bridges/python/request_timer.hpp"

namespace cppcorn::python {

// What is read of one request's body. Used again for the next one after begin(). Each function that returns a Ref gives
// null with an exception set where the client fails: TimeoutError, ConnectionResetError or another OSError.
class Input {
  public:
    Input(const cppcorn_host& host, RequestTimer& timer) : host_(host), timer_(timer) {}

    void begin(const cppcorn_request& request);

    // As of a binary file in Python: below zero, all of it. RuntimeError while another thread is in one of them.
    Ref read(Py_ssize_t size);
    Ref readline(Py_ssize_t limit);
    Ref readlines(Py_ssize_t hint);
    // The client has failed: an exception of these functions is no fault of the app's.
    bool has_failed() const { return error_ != 0; }

  private:
    std::string_view rest() const { return std::string_view(buffer_).substr(at_); }
    bool fill(std::size_t wanted);
    Ref take(std::size_t most);
    Ref take_line(std::size_t most);
    Ref failure() const;
    Ref give(std::size_t size);

    const cppcorn_host& host_;
    RequestTimer& timer_;
    const cppcorn_request* request_ = nullptr;
    std::string buffer_;
    std::size_t at_ = 0;
    bool is_at_end_ = false;
    bool is_reading_ = false;
    int error_ = 0;
};

// The type of the object that the app gets, a CallObject. Null with an exception set where it cannot be made.
Ref make_input_type();

} // namespace cppcorn::python
