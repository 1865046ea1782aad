// A worker whose connections outlive it: the memory that they are in, and the understudy that sees to them.
#pragma once

#include <memory>

#include "base/epoll.hpp"
#include "base/unique_fd.hpp"
#include "workers/context/worker_context.hpp"
#include "workers/handover/worker_memory.hpp"
#include "workers/worker.hpp"

namespace cppcorn {

class Understudied {
  public:
    // Before the app is loaded. Null where there is not to be such memory, or can be none, which is logged. That there
    // can be no understudy is logged as well; the worker serves without. `setup` and `epoll` outlive it.
    static std::unique_ptr<Understudied> make(const WorkerSetup& setup, const Epoll& epoll);
    Understudied(const WorkerSetup& setup, const Epoll& epoll);

    // Tells the context what there is.
    void introduce(WorkerContext& context);

  private:
    void shadow_log();
    void employ();

    const WorkerSetup& setup_;
    const Epoll& epoll_;
    WorkerMemory memory_;
    UniqueFd understudy_; // a pidfd; not open: there is none
    WorkerContext* context_ = nullptr;
};

} // namespace cppcorn
