// Who holds Python's lock. The server runs without it, so that the app's threads can run while the server waits; each
// call into Python takes it.
#pragma once

#include "bridges/python/api.hpp"

namespace cppcorn::python {

// From now on, until unpark(), this thread does not hold the lock. Only for the thread that runs the server, as are the
// next two classes.
void park();
void unpark();

// Holds it for a call into Python.
class GilHeld {
  public:
    GilHeld() { unpark(); }
    ~GilHeld() { park(); }
    GilHeld(const GilHeld&) = delete;
    GilHeld& operator=(const GilHeld&) = delete;
};

// Lets the app's threads run while the server does.
class GilReleased {
  public:
    GilReleased() { park(); }
    ~GilReleased() { unpark(); }
    GilReleased(const GilReleased&) = delete;
    GilReleased& operator=(const GilReleased&) = delete;
};

// A call of the server about the request that runs. Any thread of the app's may make one: an async view of Django reads
// the body in the thread of its loop. They take turns, for the server knows of no threads. Begins and ends with the lock
// held, by the calling thread; in between no Python may run.
class ServerTurn {
  public:
    enum class Gil : bool { kept, released }; // released: the call may have to wait for the client
    explicit ServerTurn(Gil gil);
    ~ServerTurn();
    ServerTurn(const ServerTurn&) = delete;
    ServerTurn& operator=(const ServerTurn&) = delete;

    // Until no other thread has a turn or waits for one.
    static void wait_for_others();

  private:
    PyThreadState* released_ = nullptr;
};

// What surrounds a fork of the server's own, so that Python goes on in the child as it does behind os.fork(). The lock is
// parked before and after.
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

} // namespace cppcorn::python
