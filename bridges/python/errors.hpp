// wsgi.errors: what is written to it goes to the error log as it comes, a record for each call that ends a line.
#pragma once

#include <string>

#include <cppcorn/abi.h>

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"

namespace cppcorn::python {

// One for a process, which all requests and threads of the app share, under Python's lock.
class Errors {
  public:
    explicit Errors(const cppcorn_host& host) : host_(host) {}

    void write(const std::string& text);
    // What has no line end yet.
    void flush();

  private:
    void log(std::size_t size);

    const cppcorn_host& host_;
    std::string pending_;
};

// The object that the app gets. `errors` outlives it. Null with an exception set where it cannot be made.
Ref make_errors_object(Errors& errors);

} // namespace cppcorn::python
