// Fails to start in the worker with slot 0, and serves in all others.
#include <cstdlib>

#include <cppcorn/app.hpp>
#include <unistd.h>

using namespace cppcorn;

namespace {

class Serves {
  public:
    Response operator()(Request&) { return {200, {{"Content-Type", "text/plain"}}, "ok\n"}; }
};

} // namespace

class Crashes : public Serves {
  public:
    void worker_start(const Worker& worker) {
        if (worker.slot() == 0) std::abort();
    }
};
CPPCORN_APP_CLASS(crashes, Crashes)

class Hangs : public Serves {
  public:
    void worker_start(const Worker& worker) {
        while (worker.slot() == 0) ::pause();
    }
};
CPPCORN_APP_CLASS(hangs, Hangs)
