#include "workers/worker_class.hpp"

#include <algorithm>
#include <iterator>

#include "workers/sync_worker.hpp"

namespace cppcorn {
namespace {

template <class Worker>
void run(WorkerContext& context, Epoll& epoll, const std::vector<ListeningSocket>& listeners, MasterLink& master,
         SignalInbox& signals) {
    Worker worker(context, epoll, listeners, master, signals);
    master.tell(Notice::ready);
    worker.run();
}

constexpr WorkerClass worker_classes[] = {
    {"sync", run<SyncWorker>},
};

} // namespace

const WorkerClass* find_worker_class(std::string_view name) {
    const auto* found = std::find_if(std::begin(worker_classes), std::end(worker_classes),
                                     [&](const WorkerClass& each) { return each.name == name; });
    return found == std::end(worker_classes) ? nullptr : found;
}

std::string worker_class_names() {
    std::string names;
    for (const auto& each : worker_classes) names += (names.empty() ? "" : ", ") + std::string(each.name);
    return names;
}

} // namespace cppcorn
