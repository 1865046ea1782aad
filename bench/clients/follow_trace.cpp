// An open loop: asks when the trace says so, whatever has been answered. Each arrival takes a connection that is idle,
// at random; if there is none it waits here, and that counts. --results gets a line for each arrival: the milliseconds
// from its time in the trace to the whole answer, or -1 for none.
//   --port P --connections N --trace FILE (lines: seconds path) --results FILE --patience S (after the last arrival)
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <fstream>
#include <memory>
#include <random>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/clients/arguments.hpp"
#include "bench/clients/connection.hpp"
#include "bench/clients/tally.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using bench::Outcome;

constexpr std::uint32_t timer_number = UINT32_MAX;
volatile std::sig_atomic_t is_told_to_end = 0;

struct Arrival {
    double seconds;
    std::string path;
    double took = -1;
};

std::vector<Arrival> read_trace(const std::string& file) {
    std::vector<Arrival> arrivals;
    std::ifstream in(file);
    for (Arrival arrival; in >> arrival.seconds >> arrival.path;) arrivals.push_back(arrival);
    return arrivals;
}

class Follower {
  public:
    Follower(std::uint16_t port, std::size_t connections, std::vector<Arrival> arrivals)
        : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
          timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
          arrivals_(std::move(arrivals)),
          of_connection_(connections) {
        epoll_event event{EPOLLIN, {.u32 = timer_number}};
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, timer_, &event);
        for (std::uint32_t i = 0; i < connections; ++i) {
            connections_.push_back(std::make_unique<bench::Connection>(epoll_, port, i));
            idle_.push_back(i);
        }
    }
    ~Follower() {
        ::close(timer_);
        ::close(epoll_);
    }
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;

    void run(double patience) {
        began_ = Clock::now();
        while (is_told_to_end == 0 && next_ < arrivals_.size()) {
            take_arrivals();
            set_timer();
            handle_events(1000);
        }
        const double end = now() + patience;
        while (is_told_to_end == 0 && idle_.size() < connections_.size() && now() < end) handle_events(50);
        for (const auto& connection : connections_) {
            if (connection->is_asking()) tally_.gave_up("after the end");
            tally_.found_closed(connection->found_closed());
            if (connection->opened() > 1) tally_.reconnected(connection->opened() - 1);
        }
    }
    void print(const std::string& file) const {
        std::ofstream out(file);
        for (const Arrival& arrival : arrivals_) out << arrival.took << "\n";
        tally_.print_json();
    }

  private:
    double now() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

    void take_arrivals() {
        while (next_ < arrivals_.size() && arrivals_[next_].seconds <= now()) waiting_.push_back(next_++);
        ask_waiting();
    }

    void ask_waiting() {
        while (!waiting_.empty() && !idle_.empty()) {
            std::swap(idle_[random_() % idle_.size()], idle_.back());
            const std::uint32_t number = idle_.back();
            idle_.pop_back();
            of_connection_[number] = waiting_.front();
            waiting_.pop_front();
            const std::string target = arrivals_[of_connection_[number]].path + "?" + id(number);
            conclude(number, connections_[number]->ask("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
        }
    }

    std::string id(std::uint32_t number) const { return std::to_string(of_connection_[number]); }

    void set_timer() {
        if (next_ == arrivals_.size()) return;
        const double rest = std::max(arrivals_[next_].seconds - now(), 1e-6);
        itimerspec when{};
        when.it_value.tv_sec = static_cast<time_t>(rest);
        when.it_value.tv_nsec = static_cast<long>((rest - static_cast<double>(when.it_value.tv_sec)) * 1e9);
        ::timerfd_settime(timer_, 0, &when, nullptr);
    }

    void handle_events(int milliseconds) {
        epoll_event events[64];
        const int count = ::epoll_wait(epoll_, events, 64, milliseconds);
        for (int i = 0; i < count; ++i) {
            const std::uint32_t number = events[i].data.u32;
            if (number != timer_number) {
                conclude(number, connections_[number]->proceed());
            } else {
                std::uint64_t ticks = 0;
                [[maybe_unused]] const ssize_t ignored = ::read(timer_, &ticks, sizeof ticks);
            }
        }
        ask_waiting();
    }

    void conclude(std::uint32_t number, Outcome outcome) {
        if (outcome == Outcome::nothing) return;
        if (outcome == Outcome::closed_idle) return tally_.ended(outcome, "", 0);
        Arrival& arrival = arrivals_[of_connection_[number]];
        idle_.push_back(number);
        if (outcome != Outcome::answered) {
            return tally_.ended(outcome, arrival.path, connections_[number]->error());
        }
        const double took = (now() - arrival.seconds) * 1000;
        const bench::Answer& answer = connections_[number]->answer();
        if (answer.status == 200) arrival.took = took;
        tally_.answered(answer, id(number), took);
    }

    int epoll_;
    int timer_;
    std::vector<Arrival> arrivals_;
    std::vector<std::size_t> of_connection_;
    std::vector<std::unique_ptr<bench::Connection>> connections_;
    std::vector<std::uint32_t> idle_;
    std::deque<std::size_t> waiting_;
    std::size_t next_ = 0;
    Clock::time_point began_{};
    std::mt19937 random_{1};
    bench::Tally tally_;
};

} // namespace

int main(int count, char** words) {
    std::signal(SIGTERM, [](int) { is_told_to_end = 1; });
    std::signal(SIGINT, [](int) { is_told_to_end = 1; });
    bench::Arguments options(count, words);
    const auto port = static_cast<std::uint16_t>(options.count("--port", 8000));
    Follower follower(port, options.count("--connections", 64), read_trace(options.text("--trace")));
    const std::string results = options.text("--results", "/dev/null");
    const double patience = options.number("--patience", 10);
    options.check();
    follower.run(patience);
    follower.print(results);
}
