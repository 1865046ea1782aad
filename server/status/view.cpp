#include "server/status/view.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace cppcorn {

void Durations::add(const DurationHistogram& histogram) {
    for (std::size_t band = 0; band < bands.size(); ++band) bands[band] += histogram.in_band(band);
    total_ns += histogram.total();
}

void Durations::subtract(const Durations& before) {
    for (std::size_t band = 0; band < bands.size(); ++band) bands[band] -= std::min(bands[band], before.bands[band]);
    total_ns -= std::min(total_ns, before.total_ns);
}

std::uint64_t Durations::count() const {
    return std::accumulate(bands.begin(), bands.end(), std::uint64_t{0});
}

// Within a band, as if its times were spread evenly.
std::optional<double> Durations::quantile(double part) const {
    const std::uint64_t all = count();
    if (all == 0) return std::nullopt;
    const double wanted = part * static_cast<double>(all);
    double before = 0;
    double lower = 0;
    for (std::size_t band = 0; band < DurationHistogram::bounds.size(); ++band) {
        const double upper = std::chrono::duration<double>(DurationHistogram::bounds[band]).count();
        const auto here = static_cast<double>(bands[band]);
        if (before + here >= wanted && here > 0) return lower + (upper - lower) * (wanted - before) / here;
        before += here;
        lower = upper;
    }
    return lower; // or longer
}

std::uint64_t ServiceView::all_answers() const {
    return std::accumulate(answers.begin(), answers.end(), std::uint64_t{0});
}

std::optional<std::uint64_t> ServiceView::waiting() const {
    if (queues.empty()) return std::nullopt;
    std::uint64_t sum = 0;
    for (const auto& queue : queues) sum += queue.waiting;
    return sum;
}

} // namespace cppcorn
