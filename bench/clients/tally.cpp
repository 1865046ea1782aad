#include "bench/clients/tally.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace bench {

namespace {

float percentile(std::vector<float>& sorted, double share) {
    if (sorted.empty()) return 0;
    return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(static_cast<double>(sorted.size()) * share))];
}

} // namespace

void Tally::answered(const Answer& answer, const std::string& expected, double milliseconds) {
    ++statuses_[answer.status];
    if (answer.closes) ++announced_;
    if (answer.status == 200) milliseconds_.push_back(static_cast<float>(milliseconds));
    const bool is_right = answer.status == 200 && (expected.empty() || answer.body == expected);
    if (is_right || answer.status >= 500) return;
    ++wrong_;
    const std::string what = "answered " + std::to_string(answer.status) + " " + answer.body.substr(0, 60);
    tell(what.c_str(), expected.substr(0, 60), 0);
}

void Tally::ended(Outcome outcome, const std::string& request, int error) {
    switch (outcome) {
        case Outcome::closed_idle:
            ++closed_idle_;
            return;
        case Outcome::unanswered:
            ++unanswered_;
            return tell("no answer", request, error);
        case Outcome::cut:
            ++cut_;
            return tell("the answer was cut", request, error);
        case Outcome::refused:
            ++refused_;
            return tell("no connection", request, error);
        case Outcome::nothing:
        case Outcome::answered:
            return;
    }
}

void Tally::gave_up(const std::string& request) {
    ++unanswered_;
    tell("no answer in time", request, 0);
}

void Tally::tell(const char* what, const std::string& request, int error) {
    if (++told_ > 100) return;
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::localtime_r(&now.tv_sec, &parts);
    char time[16];
    std::strftime(time, sizeof time, "%H:%M:%S", &parts);
    const std::string line = request.substr(0, request.find('\r'));
    std::fprintf(stderr, "%s.%03ld %s: %s (%s)\n", time, now.tv_nsec / 1'000'000, what, line.c_str(),
                 error == 0 ? "closed" : std::strerror(error));
}

void Tally::print_json() const {
    std::vector<float> sorted = milliseconds_;
    std::sort(sorted.begin(), sorted.end());
    std::printf("{\"answered\": %zu, \"statuses\": {", sorted.size());
    const char* comma = "";
    for (const auto& [status, count] : statuses_) {
        std::printf("%s\"%d\": %llu", comma, status, static_cast<unsigned long long>(count));
        comma = ", ";
    }
    std::printf("}");
    const std::pair<const char*, std::uint64_t> counts[] = {
        {"wrong", wrong_},     {"announced", announced_},     {"unanswered", unanswered_}, {"cut", cut_},
        {"refused", refused_}, {"closed_idle", closed_idle_}, {"reconnects", reconnects_},
    };
    for (const auto& [name, count] : counts)
        std::printf(", \"%s\": %llu", name, static_cast<unsigned long long>(count));
    std::printf(", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n", percentile(sorted, 0.5),
                percentile(sorted, 0.99), sorted.empty() ? 0 : sorted.back());
    std::fflush(stdout);
}

} // namespace bench
