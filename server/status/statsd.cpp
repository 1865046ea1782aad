#include "server/status/statsd.hpp"

#include <chrono>
#include <type_traits>

namespace cppcorn {
namespace {

// What nobody could be told of for longer would look as if it had happened in one second.
constexpr std::chrono::seconds longest_gap(60);

static_assert(std::is_trivially_copyable_v<StatsdBook>);

} // namespace

Statsd::Statsd(const Settings& settings, const Watcher& watcher, StatsdBook& book, SteadyTime now)
    : watcher_(watcher), book_(book), names_(StatsdNames::of(settings.statsd_prefix, settings.dogstatsd_tags)) {
    if (settings.statsd_host.empty()) return;
    sender_.emplace(settings.statsd_host);
    begin_anew_if_old(now);
}

void Statsd::begin_anew_if_old(SteadyTime now) {
    const std::int64_t now_ns = now.time_since_epoch().count();
    const bool is_old = book_.time_ns == 0 || std::chrono::nanoseconds(now_ns - book_.time_ns) > longest_gap;
    if (is_old) book_ = {now_ns, watcher_.totals()};
}

void Statsd::tell(const ServiceView& view) {
    if (!sender_ || !sender_->is_ready(view.time)) return;
    begin_anew_if_old(view.time);
    const Totals totals = watcher_.totals();
    sender_->send(statsd_datagrams(totals, book_.told, view, names_), view.time);
    book_ = {view.time.time_since_epoch().count(), totals};
}

} // namespace cppcorn
