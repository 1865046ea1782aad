#include "server/control/ctl.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/log/escape.hpp"
#include "server/control/control_client.hpp"
#include "server/control/control_codes.hpp"
#include "server/control/control_place.hpp"
#include "server/control/order.hpp"
#include "server/control/status_text.hpp"
#include "server/process/exit_codes.hpp"
#include "server/settings/settings_loader.hpp"

namespace cppcorn {
namespace {

using namespace std::chrono_literals;
using State = ControlOrder::State;
using Fault = ControlError::Fault;

constexpr Milliseconds shortest_pause = 1ms;
constexpr Milliseconds longest_pause = 100ms;
constexpr auto time_to_be_taken = 10s; // by the master
constexpr auto time_of_absence = 10s;  // while a reload replaces the process that answers, or moves the socket

std::string help_text() {
    std::string text =
        "Usage: cppcorn ctl [-c FILE] [--chdir DIRECTORY] [--control-socket PATH] COMMAND\n\n"
        "Steers a cppcorn that runs with --control-socket PATH. The socket is found by the same\n"
        "settings file and environment as the server's.\n\n";
    const auto add = [&](std::string_view command, std::string_view help) {
        text += fmt::format("  {:<22} {}\n", command, help);
    };
    add("status", "show the workers and what they do");
    for (const auto& row : order_rows) {
        add(fmt::format("{}{}{}", row.word, row.shown.empty() ? "" : " ", row.shown), row.help);
    }
    return text;
}

std::string unknown_command(const std::string& word) {
    std::string known = "status";
    for (const auto& row : order_rows) known += fmt::format(", {}", row.word);
    return fmt::format("unknown command '{}'; there are {}", word, known);
}

// What others wrote, an app or who has put a socket there, must not steer the terminal.
int complain(const std::string& text, int code) {
    std::fprintf(stderr, "cppcorn: %s\n", readable(text).c_str());
    return code;
}

// Between looks, the more rarely the longer it takes: never more than a twentieth of it is waited for in vain.
class Pauses {
  public:
    void pause() const {
        const auto passed = std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - begin_);
        std::this_thread::sleep_for(std::clamp<Milliseconds>(passed / 20, shortest_pause, longest_pause));
    }

  private:
    SteadyTime begin_ = SteadyClock::now();
};

// The order as it stands now. nullopt: nobody answers just now, which may pass.
class Follower {
  public:
    // A `stop` may be done before anybody has looked: the socket goes with the service.
    Follower(const ClientLine& line, ControlClient client, OrderKind kind)
        : line_(line), client_(std::move(client)), is_stop_(kind == OrderKind::stop) {}

    std::optional<ControlOrder> look(std::uint64_t number) {
        try {
            const ControlOrder order = client_.read_order(number);
            absent_since_.reset();
            return order;
        } catch (const ControlError& error) {
            const bool has_stopped = is_stop_ && error.fault() == Fault::absent;
            if (has_stopped) return ControlOrder{number, State::done, control_done, "Stopping"};
            const SteadyTime now = SteadyClock::now();
            if (!absent_since_) absent_since_ = now;
            if (error.fault() == Fault::forbidden || now > *absent_since_ + time_of_absence) throw;
            if (error.fault() == Fault::absent) go_to_new_place();
        }
        return std::nullopt;
    }

  private:
    // A reload may have moved the socket.
    void go_to_new_place() {
        try {
            client_ = ControlClient(find_control_socket({"", line_.settings, {}}));
        } catch (const std::exception&) {
            // It stays where it was, then: a server with such settings does not reload.
        }
    }

    const ClientLine& line_;
    ControlClient client_;
    bool is_stop_;
    std::optional<SteadyTime> absent_since_;
};

// What has become of it, once that is known.
ControlOrder follow(const ClientLine& line, const ControlClient& client, OrderKind kind, std::uint64_t number) {
    Follower follower(line, client, kind);
    const Pauses pauses;
    const SteadyTime begin = SteadyClock::now();
    for (;;) {
        pauses.pause();
        const auto order = follower.look(number);
        if (!order) continue;
        if (order->state == State::done || order->state == State::failed) return *order;
        if (order->state == State::waiting && SteadyClock::now() > begin + time_to_be_taken) {
            throw ControlError(Fault::broken, "the master has not taken the order for 10 s");
        }
    }
}

// The socket goes with the service; or another master answers there, which does not know the order: the next one of an
// upgrade, or one that was started in its place at once.
bool wait_for_end(const ControlClient& client, std::uint64_t number) {
    for (const Pauses pauses;; pauses.pause()) {
        try {
            if (client.read_order(number).code == control_no_outcome) return false;
        } catch (const ControlError& error) {
            if (error.fault() == Fault::absent) return true;
        }
    }
}

int carry_out(const ClientLine& line, const ControlClient& client, const Order& order) {
    ControlOrder outcome = client.give_order(target_of(order));
    if (outcome.state == State::waiting) outcome = follow(line, client, order.kind, outcome.number);
    if (outcome.state == State::failed) return complain(outcome.text, outcome.code);
    std::printf("%s\n", readable(outcome.text).c_str());
    if (order.kind == OrderKind::stop) {
        std::fflush(stdout);
        std::puts(wait_for_end(client, outcome.number) ? "Stopped" : "Stopped; another master answers here now");
    }
    return control_done;
}

int show_status(const ControlClient& client) {
    std::fputs(readable(status_text(client.get("/status.json").body)).c_str(), stdout);
    return control_done;
}

int run(const std::vector<std::string>& arguments) {
    const ClientLine line = parse_client_line(arguments);
    const bool wants_help = line.words.empty() || line.words.front() == "--help" || line.words.front() == "-h";
    if (wants_help) {
        std::fputs(help_text().c_str(), line.words.empty() ? stderr : stdout);
        return line.words.empty() ? control_usage : control_done;
    }
    const bool is_status = line.words.size() == 1 && line.words.front() == "status";
    const auto order = parse_order_words(line.words); // first: what is no command needs no server
    if (!order && !is_status) return complain(unknown_command(line.words.front()), control_usage);
    const ControlClient client(find_control_socket(line));
    return is_status ? show_status(client) : carry_out(line, client, *order);
}

} // namespace

int run_ctl(const std::vector<std::string>& arguments) {
    try {
        return run(arguments);
    } catch (const OrderError& error) {
        return complain(error.what(), control_usage);
    } catch (const UsageError& error) {
        return complain(error.what(), control_usage);
    } catch (const NoControlSocket& error) {
        return complain(error.what(), control_no_socket);
    } catch (const ControlError& error) {
        return complain(error.what(), code_of(error.fault()));
    } catch (const std::exception& error) {
        return complain(error.what(), exit_settings);
    }
}

} // namespace cppcorn
