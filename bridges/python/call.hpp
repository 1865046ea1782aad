// One request on its way through the app: what start_response(), write() and the body's pieces come to, and in which
// order the server hears of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"
#include "bridges/python/input.hpp"
#include "bridges/python/reference.hpp"
#include "bridges/python/request_timer.hpp"
#include "bridges/python/response_head.hpp"
#include "bridges/python/start_response.hpp"

namespace cppcorn::python {

// Used again for the next request after begin(). Where a function returns false, an exception is set.
class Call {
  public:
    Call(const cppcorn_host& host, RequestTimer& timer, const StartResponse& start_response)
        : host_(host), timer_(timer), start_response_(start_response), input_(host, timer) {}

    void begin(const cppcorn_request& request);

    // start_response(), with None or null for no exc_info.
    bool start_response(PyObject* status, PyObject* headers, PyObject* exc_info);
    // What start_response() gives the app. Borrowed.
    PyObject* writer() const { return start_response_.write(); }
    // write(): sends the piece at once. BrokenPipeError where the client is gone, so that the app ends.
    bool write(PyObject* piece);
    // The app's result, sent as it is made. Ends early, without an exception, where the client is gone or has got all of
    // the Content-Length.
    bool send_body(PyObject* result, PyObject* file_wrapper_type, PyObject* real_file);
    // Ends the response before the app's close(), which may take its time.
    void finish();

    Input& input() { return input_; }
    const cppcorn_request& request() const { return *request_; }
    bool has_begun() const { return has_begun_; }
    bool client_is_gone() const { return is_gone_; }
    // A response of our own where the app's has not begun.
    void answer(int status, std::string_view text);

  private:
    bool has_no_body() const;
    bool begin_response(std::optional<std::uint64_t> size);
    bool send_pieces(PyObject* result, bool is_list);
    bool send_iterated(PyObject* result);
    bool send_piece(PyObject* piece);
    bool send_bytes(std::string_view bytes, bool flush, bool may_wait);
    // nullopt: it is no file that the kernel can send; an exception may be set.
    std::optional<bool> send_file(PyObject* wrapper, PyObject* real_file);
    bool accepted(int result);

    const cppcorn_host& host_;
    RequestTimer& timer_;
    const StartResponse& start_response_;
    const cppcorn_request* request_ = nullptr;
    ResponseHead head_;
    Input input_;
    bool has_begun_ = false;
    bool is_gone_ = false;
    bool is_full_ = false; // more than the Content-Length was written
};

} // namespace cppcorn::python
