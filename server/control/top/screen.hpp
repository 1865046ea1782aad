// The terminal, by ncurses. The library is looked for where it runs, as libdw is, so that the server, which has no use
// for it, neither needs nor loads it; a build takes its headers only, and one without them (CPPCORN_TOP) has no screen.
//
// One in a process, one thread. While there is one, SIGINT and SIGTERM put the terminal back and end the process.
#pragma once

#include <memory>
#include <stdexcept>

#include "base/clock.hpp"
#include "server/control/top/picture.hpp"

namespace cppcorn::top {

// There can be no screen. what() is one line.
class ScreenError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Screen {
  public:
    // Takes standard input and output, which must be a terminal. Throws ScreenError.
    Screen();
    // Leaves the terminal as it was.
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    Size size() const;
    void draw(const Picture& picture);
    // Waits that long at most; key_none if there was none, and for keys that nothing is done by. Throws ScreenError
    // once the terminal is gone.
    int read_key(Milliseconds patience);

  private:
    class Curses;
    std::unique_ptr<Curses> curses_;
};

} // namespace cppcorn::top
