// The app of the status process: what it answers, served as any other app is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <cppcorn/abi.h>

#include "server/control/order_window.hpp"
#include "server/status/page_budget.hpp"
#include "server/status/service_facts.hpp"
#include "server/status/watcher.hpp"

namespace cppcorn {

class StatusApp {
  public:
    // The watcher outlives it. Orders are taken in by `window` from whoever comes through the unix socket of that path, if it
    // is not empty.
    StatusApp(Watcher& watcher, ServiceFacts facts, OrderWindow window, std::string control_path);
    StatusApp(const StatusApp&) = delete;
    StatusApp& operator=(const StatusApp&) = delete;

    // For the server. Valid as long as this is.
    const cppcorn_app& app() const { return app_; }

  private:
    void forget_pages();
    StatusPage page(std::string_view path, SteadyTime now);
    struct LastPage {
        StatusPage page;
        SteadyTime time;
    };
    // As `make` makes it; or as it was made a moment ago, where there is no time for another one.
    template <class Make>
    const StatusPage& made(std::optional<LastPage>& last, SteadyTime now, Make make);
    StatusPage answer(const cppcorn_request& request);
    int handle(const cppcorn_request& request);

    Watcher& watcher_;
    ServiceFacts facts_;
    OrderWindow window_;
    std::string control_path_;
    PageBudget budget_;
    std::optional<LastPage> last_metrics_, last_json_, last_page_;
    cppcorn_app app_{};
};

} // namespace cppcorn
