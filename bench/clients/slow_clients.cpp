// Clients that send or read --bytes at --rate bytes a second, one piece a second each. One line of JSON at the end, after
// --seconds or SIGTERM: how many bytes went each way, and how many clients were cut, answered early, or held up.
//   --again 1 (who is done, or cut, begins anew)  --every S (the line of JSON so often, too)
//   --ramp S (they come one by one within so long)  --port P --senders N --readers N --rate BYTES --bytes BYTES --path /bytes/ (readers ask for /bytes/BYTES) --seconds S
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/clients/arguments.hpp"

namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t is_told_to_end = 0;
constexpr std::size_t period = 251; // byte i of each body is i % 251

struct Slow {
    bool sends = false;
    int descriptor = -1;
    std::size_t moved = 0; // of the body
    std::size_t head = 0;  // of the answer
    unsigned ticks = 0;
    unsigned held_up = 0; // ticks in which nothing could be moved
    int status = 0;
    bool is_cut = false;
    bool is_wrong = false;
    bool is_done = false;
};

class Group {
  public:
    explicit Group(bench::Arguments options)
        : port_(static_cast<std::uint16_t>(options.count("--port", 8000))),
          rate_(options.count("--rate", 20'000)),
          bytes_(options.count("--bytes", 10'485'760)),
          seconds_(options.number("--seconds", 60)),
          ramp_(options.number("--ramp", 1)),
          every_(options.number("--every", 0)),
          goes_on_(options.count("--again", 0) != 0),
          path_(options.text("--path", "/bytes/")),
          clients_(options.count("--senders", 0) + options.count("--readers", 0)) {
        const std::size_t senders = options.count("--senders", 0);
        // Alternately, so that what a moment sees is a mixture.
        for (std::size_t i = 0, left = senders; i < clients_.size(); ++i) {
            const bool must = clients_.size() - i == left;
            clients_[i].sends = left > 0 && (must || i % 2 == 0);
            if (clients_[i].sends) --left;
        }
        options.check();
        for (std::size_t i = 0; i < rate_ + period; ++i) pattern_ += static_cast<char>(i % period);
    }

    void run() {
        const auto began = Clock::now();
        const auto step = std::chrono::nanoseconds(1'000'000'000 / std::max<std::size_t>(clients_.size(), 1));
        auto next = began;
        double next_line = every_;
        for (std::size_t at = 0; is_told_to_end == 0; at = (at + 1) % clients_.size()) {
            const auto now = Clock::now();
            if (now - began > std::chrono::duration<double>(seconds_)) break;
            // Two milliseconds' worth at once: cheaper than a sleep for each.
            if (next - now > std::chrono::milliseconds(2)) std::this_thread::sleep_until(next);
            next += step;
            const double share = std::chrono::duration<double>(now - began).count() / ramp_;
            const bool has_come = static_cast<double>(at) <= share * static_cast<double>(clients_.size());
            if (has_come) tick(clients_[at]);
            const double took = std::chrono::duration<double>(now - began).count();
            if (every_ > 0 && took > next_line) {
                print(took);
                next_line += every_;
            }
        }
        print(std::chrono::duration<double>(Clock::now() - began).count());
    }

  private:
    void tick(Slow& client) {
        if (client.is_cut || client.is_done) return begin_anew(client);
        if (client.descriptor < 0) return open(client);
        ++client.ticks;
        const std::size_t before = client.moved;
        if (client.sends) {
            send_piece(client);
            receive(client, 4096);
        } else {
            receive(client, rate_);
        }
        if (client.moved == before) ++client.held_up;
    }

    void begin_anew(Slow& client) {
        if (!goes_on_) return;
        past_.push_back(client);
        ::close(client.descriptor);
        client = {};
        client.sends = past_.back().sends;
    }

    void open(Slow& client) {
        client.descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int buffer = 32 * 1024; // else the kernel reads megabytes ahead of a slow reader
        ::setsockopt(client.descriptor, SOL_SOCKET, client.sends ? SO_SNDBUF : SO_RCVBUF, &buffer, sizeof buffer);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port_);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(client.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            return cut(client);
        }
        const std::string bytes = std::to_string(bytes_);
        const std::string head = client.sends ? "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + bytes + "\r\n\r\n"
                                              : "GET " + path_ + bytes + " HTTP/1.1\r\nHost: a\r\n\r\n";
        if (::send(client.descriptor, head.data(), head.size(), MSG_NOSIGNAL) < 0) cut(client);
    }

    void send_piece(Slow& client) {
        const std::size_t size = std::min(rate_, bytes_ - client.moved);
        const char* const data = pattern_.data() + client.moved % period;
        const ssize_t count = ::send(client.descriptor, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0) client.moved += static_cast<std::size_t>(count);
    }

    void receive(Slow& client, std::size_t most) {
        std::string piece(most, 0);
        const ssize_t count = ::recv(client.descriptor, piece.data(), most, MSG_DONTWAIT);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return cut(client);
        piece.resize(static_cast<std::size_t>(count));
        if (client.status == 0) {
            client.status = piece.size() > 12 ? std::atoi(piece.c_str() + 9) : -1;
            const std::size_t end = piece.find("\r\n\r\n");
            piece.erase(0, end == std::string::npos ? piece.size() : end + 4);
        }
        if (client.sends) {
            client.is_done = true;
        } else {
            const char* const expected = pattern_.data() + client.moved % period;
            if (std::memcmp(piece.data(), expected, piece.size()) != 0) client.is_wrong = true;
            client.moved += piece.size();
            client.is_done = client.moved == bytes_;
        }
    }

    static void cut(Slow& client) {
        client.is_cut = true;
        ::shutdown(client.descriptor, SHUT_RDWR);
    }

    void print(double took) const {
        std::printf("{\"seconds\": %.1f", took);
        for (const bool sends : {true, false}) print(sends);
        std::printf("}\n");
        std::fflush(stdout);
    }

    // late: those that got on at less than 80 % of their rate. waiting: those that got nowhere.
    void print(bool sends) const {
        std::size_t cut = 0, errors = 0, early = 0, late = 0, wrong = 0, waiting = 0, done = 0;
        double bytes = 0;
        int status = 0;
        std::vector<Slow> all = past_;
        all.insert(all.end(), clients_.begin(), clients_.end());
        for (const Slow& client : all) {
            if (client.sends != sends) continue;
            bytes += static_cast<double>(client.moved);
            if (client.is_cut) ++cut;
            if (client.is_wrong) ++wrong;
            if (client.is_done && client.moved == bytes_) ++done;
            if (client.status != 0 && (client.status != 200 || (sends && client.moved < bytes_))) {
                ++early;
                status = client.status;
            }
            if (client.status >= 500) ++errors;
            if (client.moved == 0) ++waiting;
            const bool is_late = static_cast<double>(client.moved) < 0.8 * static_cast<double>(client.ticks * rate_);
            if (is_late && !client.is_cut && !client.is_done && client.ticks > 2) ++late;
        }
        std::printf(
            ", \"%s\": {\"megabytes\": %.1f, \"cut\": %zu, \"refused\": %zu, \"status\": %d, \"late\": %zu,"
            " \"waiting\": %zu, \"wrong\": %zu, \"done\": %zu, \"errors\": %zu}",
            sends ? "senders" : "readers", bytes / 1e6, cut, early, status, late, waiting, wrong, done, errors);
    }

    std::uint16_t port_;
    std::size_t rate_;
    std::size_t bytes_;
    double seconds_;
    double ramp_;
    double every_;
    bool goes_on_;
    std::vector<Slow> past_; // those that have begun anew since
    std::string path_;
    std::vector<Slow> clients_;
    std::string pattern_;
};

} // namespace

int main(int count, char** words) {
    std::signal(SIGTERM, [](int) { is_told_to_end = 1; });
    std::signal(SIGINT, [](int) { is_told_to_end = 1; });
    Group(bench::Arguments(count, words)).run();
}
