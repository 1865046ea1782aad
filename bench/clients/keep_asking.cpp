// Clients that ask, wait for the answer, think, and ask again: until --seconds have passed or SIGTERM arrives. Then they
// wait for the answers that are due, and one line of JSON says what became of all (tally.hpp).
//   --port P --connections N --paths /a,/b (one of them at random) --think-ms LOW,HIGH (0,0: none) --seconds S
//   --body BYTES (POST)  --close 1 (a connection for each request)  --echo 0 (the answers are not the request's query)
//   --patience SECONDS (without an answer: it counts as none)  --every SECONDS (the line of JSON so often, too)
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <queue>
#include <random>

#include <sys/epoll.h>
#include <unistd.h>

#include "bench/clients/arguments.hpp"
#include "bench/clients/connection.hpp"
#include "bench/clients/tally.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using bench::Outcome;

volatile std::sig_atomic_t is_told_to_end = 0;

struct Plan {
    std::uint16_t port;
    std::size_t connections;
    std::vector<std::string> paths;
    double least_think;
    double most_think;
    double seconds;
    std::size_t body;
    bool closes;
    bool echoes;
    double patience;
    double every;

    explicit Plan(bench::Arguments options)
        : port(static_cast<std::uint16_t>(options.count("--port", 8000))),
          connections(options.count("--connections", 1)),
          paths(options.list("--paths", "/")),
          least_think(std::strtod(options.list("--think-ms", "0,0").front().c_str(), nullptr)),
          most_think(std::strtod(options.list("--think-ms", "0,0").back().c_str(), nullptr)),
          seconds(options.number("--seconds", 10)),
          body(options.count("--body", 0)),
          closes(options.count("--close", 0) != 0),
          echoes(options.count("--echo", 1) != 0),
          patience(options.number("--patience", 30)),
          every(options.number("--every", 0)) {
        options.check();
    }
};

struct Client {
    std::unique_ptr<bench::Connection> connection;
    std::string request;
    std::string expected;
    Clock::time_point asked;
    std::uint64_t count = 0;
};

class Crowd {
  public:
    explicit Crowd(Plan plan) : plan_(std::move(plan)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
        body_ = bytes(plan_.body);
        for (std::uint32_t i = 0; i < plan_.connections; ++i) {
            clients_.push_back({std::make_unique<bench::Connection>(epoll_, plan_.port, i), "", "", {}, 0});
            due_.push({Clock::now() + think(), i});
        }
    }
    ~Crowd() { ::close(epoll_); }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    void run() {
        const auto end = Clock::now() + seconds(plan_.seconds);
        auto next_line = Clock::now() + seconds(plan_.every);
        while (is_told_to_end == 0 && Clock::now() < end) {
            ask_those_due();
            handle_events(20);
            give_up_on_the_late();
            if (plan_.every > 0 && Clock::now() >= next_line) {
                print();
                next_line += seconds(plan_.every);
            }
        }
        const auto patience_ends = Clock::now() + seconds(plan_.patience);
        while (asking_ > 0 && Clock::now() < patience_ends) {
            handle_events(20);
            give_up_on_the_late();
        }
        for (Client& client : clients_) {
            if (client.connection->is_asking()) tally_.gave_up(client.request);
        }
        print();
    }

  private:
    using Due = std::pair<Clock::time_point, std::uint32_t>;

    static Clock::duration seconds(double count) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
    }
    Clock::duration think() {
        return seconds(std::uniform_real_distribution<>(plan_.least_think, plan_.most_think)(random_) / 1000);
    }

    // As the app makes them, and expects them.
    static std::string bytes(std::size_t count) {
        std::string made(count, 0);
        for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<char>(i % 251);
        return made;
    }

    void ask_those_due() {
        while (!due_.empty() && due_.top().first <= Clock::now()) {
            const std::uint32_t number = due_.top().second;
            due_.pop();
            ask(number);
        }
    }

    void ask(std::uint32_t number) {
        Client& client = clients_[number];
        const std::string& path = plan_.paths[random_() % plan_.paths.size()];
        const std::string id =
            std::to_string(::getpid()) + "." + std::to_string(number) + "." + std::to_string(++client.count);
        client.request = (body_.empty() ? "GET " : "POST ") + path + "?" + id + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        if (!body_.empty()) client.request += "Content-Length: " + std::to_string(body_.size()) + "\r\n";
        if (plan_.closes) client.request += "Connection: close\r\n";
        client.request += "\r\n" + body_;
        client.expected = plan_.echoes ? id + (body_.empty() ? "" : " " + std::to_string(body_.size()) + " 0") : "";
        if (path.starts_with("/bytes/")) client.expected = bytes(std::strtoull(path.c_str() + 7, nullptr, 10));
        client.asked = Clock::now();
        ++asking_;
        conclude(number, client.connection->ask(client.request));
    }

    void handle_events(int milliseconds) {
        if (!due_.empty()) {
            const auto rest = std::chrono::ceil<std::chrono::milliseconds>(due_.top().first - Clock::now()).count();
            milliseconds = static_cast<int>(std::clamp<long>(rest, 0, milliseconds));
        }
        epoll_event events[256];
        const int count = ::epoll_wait(epoll_, events, 256, milliseconds);
        for (int i = 0; i < count; ++i)
            conclude(events[i].data.u32, clients_[events[i].data.u32].connection->proceed());
    }

    void conclude(std::uint32_t number, Outcome outcome) {
        if (outcome == Outcome::nothing) return;
        Client& client = clients_[number];
        if (outcome == Outcome::closed_idle) return tally_.ended(outcome, "", 0);
        --asking_;
        auto pause = think();
        if (outcome == Outcome::answered) {
            const double took = std::chrono::duration<double, std::milli>(Clock::now() - client.asked).count();
            tally_.answered(client.connection->answer(), client.expected, took);
        } else {
            tally_.ended(outcome, client.request, client.connection->error());
            pause += std::chrono::milliseconds(20);
        }
        due_.push({Clock::now() + pause, number});
    }

    void give_up_on_the_late() {
        const auto now = Clock::now();
        if (now < next_look_) return;
        next_look_ = now + std::chrono::seconds(1);
        for (std::uint32_t i = 0; i < clients_.size(); ++i) {
            Client& client = clients_[i];
            if (!client.connection->is_asking() || now - client.asked < seconds(plan_.patience)) continue;
            tally_.gave_up(client.request);
            client.connection->close();
            --asking_;
            due_.push({now, i});
        }
    }

    void print() {
        bench::Tally sum = tally_;
        for (const Client& client : clients_) {
            sum.found_closed(client.connection->found_closed());
            const std::uint64_t opened = client.connection->opened();
            if (!plan_.closes && opened > 1) sum.reconnected(opened - 1);
        }
        sum.print_json();
    }

    Plan plan_;
    int epoll_;
    std::string body_;
    std::vector<Client> clients_;
    std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
    std::mt19937 random_{std::random_device{}()};
    std::size_t asking_ = 0;
    Clock::time_point next_look_{};
    bench::Tally tally_;
};

} // namespace

int main(int count, char** words) {
    std::signal(SIGTERM, [](int) { is_told_to_end = 1; });
    std::signal(SIGINT, [](int) { is_told_to_end = 1; });
    Crowd(Plan(bench::Arguments(count, words))).run();
}
