// A service to look at, for tests.
#pragma once

#include "server/status/view.hpp"

namespace cppcorn {

inline ServiceView good_view() {
    ServiceView view;
    view.time = SteadyTime(std::chrono::hours(1));
    view.state = MasterState::serving;
    view.heartbeat_age = 0.2;
    view.wanted = 2;
    view.by_state = {0, 2, 0, 0};
    return view;
}

} // namespace cppcorn
