// What an app gets as start_response, and write() that this returns. One of each for a process, used for one request after
// another; an app that has kept one of a request that has ended keeps it, and later requests get others.
#pragma once

#include "bridges/python/api.hpp"
#include "bridges/python/reference.hpp"

namespace cppcorn::python {

class Call;

class StartResponse {
  public:
    // False, with an exception set, where there is no memory.
    bool prepare();

    // For a request. Borrowed, until end(); null, with an exception set, where there is no memory.
    PyObject* begin(Call& call);
    // From now on what the app has kept of it raises.
    void end();

    // What start_response() returns; between begin() and end().
    PyObject* write() const { return write_.get(); }

  private:
    bool make();

    Ref type_;
    Ref request_; // a CallObject: the functions' self
    Ref start_, write_;
};

} // namespace cppcorn::python
