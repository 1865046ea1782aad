// The bridge: an app of the server's like any other, that calls a WSGI app. It fills in a cppcorn_app and calls the
// server by cppcorn_host; what it needs to know of its surroundings it gets by extension("cppcorn.bridge/1").
//
// One for a process that has loaded an app, for good. Made in the probe or the worker; with --preload in the mold, which
// the workers are forked from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"
#include "bridges/python/call.hpp"
#include "bridges/python/environ.hpp"
#include "bridges/python/errors.hpp"
#include "bridges/python/reference.hpp"
#include "bridges/python/request_timer.hpp"
#include "bridges/python/start_response.hpp"

namespace cppcorn::python {

class Bridge {
  public:
    Bridge(const cppcorn_host& host, const cppcorn_bridge& surroundings);
    Bridge(const Bridge&) = delete;
    Bridge& operator=(const Bridge&) = delete;

    // Imports the app. 0, or a negative errno, -ENOENT where there is no such module, and why in one line.
    int load(std::string& failure);
    void watch(const std::vector<std::string>& paths) const;

    // The functions of cppcorn_app, with the lock held. An exception of Python's leaves none of them.
    int handle(const cppcorn_request& request);
    void settle_for_forks() const;
    int worker_start(const cppcorn_worker& worker);
    void worker_exit();

    // What apps call by the module (bridges/python/module.cpp).
    void log(int level, const std::string& text) const;
    void extend_deadline(std::uint32_t ms);
    bool client_is_gone();
    // False: an exception is set.
    bool send_early_hints(PyObject* headers);
    bool take_overdue() { return timer_.take_overdue(in_app_); }

  private:
    bool prepare();
    bool call_app();
    void close(PyObject* result, bool is_sent);
    void report_exception();
    std::string log_exception() const;
    PyObject* input_for_request();
    void end_request();
    void follow_error_log();

    const cppcorn_host& host_;
    const cppcorn_bridge& surroundings_;
    RequestTimer timer_;
    StartResponse start_response_;
    Call call_{host_, timer_, start_response_};
    Errors errors_{host_};
    EnvironMaker environs_;
    bool in_request_ = false;
    bool in_app_ = false; // where RequestTimeout may be raised
    int faults_fd_ = -1;  // where Python's stacks go

    Ref helper_; // cppcorn._worker
    Ref app_;
    Ref describe_, real_file_, request_timeout_;
    Ref input_type_, file_wrapper_type_;
    Ref errors_object_, early_hints_object_;
    Ref input_; // of the request that runs, and used again where the app has not kept it
};

// The bridge of this process; null before load_app() has succeeded or while it runs.
Bridge* present_bridge();

// The entry function, as the server calls it for an app that is no library.
int load_app(cppcorn_load* load);
// In a mold, after that.
void settle_for_forks();

} // namespace cppcorn::python
