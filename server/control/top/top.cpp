#include "server/control/top/top.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <utility>

#include "server/control/control_codes.hpp"
#include "server/control/control_place.hpp"
#include "server/control/top/orders.hpp"
#include "server/control/top/picture.hpp"
#include "server/control/top/quantities.hpp"
#include "server/control/top/screen.hpp"
#include "server/process/exit_codes.hpp"
#include "server/release/address.hpp"
#include "server/settings/settings_loader.hpp"

namespace cppcorn {
namespace {

using namespace top;

constexpr Milliseconds between_snapshots{1000};
constexpr Milliseconds between_looks{50}; // at orders that are under way
// Shorter than the pause after it, so that keys are read most of the time while nobody answers.
constexpr Milliseconds patience{700};

Snapshot read_snapshot(const ControlClient& client) {
    const ControlAnswer answer = client.get("/status.json");
    if (answer.status != 200) throw SnapshotError(client.name() + ": what answers there has no status");
    return parse_snapshot(answer.body, SteadyClock::now());
}

class Loop {
  public:
    Loop(ControlClient client, bool may_order)
        : client_(std::move(client)), session_(may_order), orders_(client_, session_) {}
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    // Throws what read_snapshot() and Screen do.
    void run() {
        session_.take(read_snapshot(client_));
        Screen screen;
        SteadyTime next = SteadyClock::now() + between_snapshots;
        while (!session_.has_quit()) {
            screen.draw(picture_of(session_, screen.size(), SteadyClock::now()));
            press(screen.read_key(pause_until(next)));
            if (has_to_look()) look();
            if (SteadyClock::now() < next) continue;
            refresh();
            next = SteadyClock::now() + between_snapshots;
        }
    }

  private:
    Milliseconds pause_until(SteadyTime next) const {
        const auto left = std::chrono::ceil<Milliseconds>(next - SteadyClock::now());
        return std::clamp(left, Milliseconds(0), has_to_look() ? between_looks : between_snapshots);
    }

    // Where nobody answers, refresh() sees first whether somebody does again.
    bool has_to_look() const { return orders_.are_under_way() && session_.lost_why().empty(); }

    void press(int key) {
        if (const auto order = session_.press(key)) orders_.give(*order);
    }

    void look() {
        try {
            orders_.look();
        } catch (const ControlError&) {
            // As refresh() will find.
        }
    }

    void refresh() {
        try {
            Snapshot snapshot = read_snapshot(client_);
            if (snapshot.master != session_.snapshot()->master) orders_.forget();
            session_.take(std::move(snapshot));
        } catch (const std::runtime_error& error) {
            session_.lost(error.what(), SteadyClock::now());
        }
    }

    ControlClient client_;
    Session session_;
    Orders orders_;
};

constexpr const char* help =
    "Usage: cppcorn top [-c FILE] [--chdir DIRECTORY] [--control-socket PATH]\n"
    "       cppcorn top ADDRESS\n\n"
    "Shows the workers of a cppcorn that runs with --control-socket PATH, each second, and\n"
    "steers it by keys: h lists them. The socket is found by the same settings file and\n"
    "environment as the server's. ADDRESS is that of --status-bind, which takes no orders:\n"
    "HOST:PORT or unix:PATH.\n";

int complain(const std::string& text, int code) {
    std::fprintf(stderr, "cppcorn: %s\n", printable(text).c_str());
    return code;
}

int run(const std::vector<std::string>& arguments) {
    const ClientLine line = parse_client_line(arguments);
    if (line.words.empty()) {
        Loop(ControlClient(find_control_socket(line), patience), true).run();
        return control_done;
    }
    const std::string& word = line.words.front();
    if (word == "--help" || word == "-h") {
        std::fputs(help, stdout);
        return control_done;
    }
    if (line.words.size() > 1 || word.starts_with('-')) {
        throw UsageError("top: '" + line.words.back() + "' is too much; cppcorn top --help shows what there is");
    }
    Loop(ControlClient(parse_bind(word), patience), false).run();
    return control_done;
}

} // namespace

int run_top(const std::vector<std::string>& arguments) {
    try {
        return run(arguments);
    } catch (const UsageError& error) {
        return complain(error.what(), control_usage);
    } catch (const std::invalid_argument& error) { // an address that is none
        return complain(error.what(), control_usage);
    } catch (const NoControlSocket& error) {
        return complain(error.what(), control_no_socket);
    } catch (const ControlError& error) {
        return complain(error.what(), code_of(error.fault()));
    } catch (const SnapshotError& error) {
        return complain(error.what(), control_no_outcome);
    } catch (const ScreenError& error) {
        return complain(error.what(), control_failed);
    } catch (const std::exception& error) {
        return complain(error.what(), exit_settings);
    }
}

} // namespace cppcorn
