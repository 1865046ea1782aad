// What statsd is told once a second: by gunicorn's names, with a few of our own, in statsd's text format. Pure.
//
// Of each second there is one number where gunicorn sends one for each request; times come as some that stand for all
// (`@` says for how many).
#pragma once

#include <string>
#include <vector>

#include "server/status/totals.hpp"
#include "server/status/view.hpp"

namespace cppcorn {

struct StatsdNames {
    std::string prefix; // in front of each name, with its dot; "" for none
    std::string tags;   // as dogstatsd_tags: "env:prod,az:b"; "" for none

    // `prefix` as the setting has it, with or without a dot at its end.
    static StatsdNames of(std::string prefix, std::string tags);
};

// Fits any path of the internet; only a line that is longer alone makes a longer datagram.
inline constexpr std::size_t largest_datagram = 1432;

// What is there in `view`, and what has grown from `before` to `now`. A number that has fallen has begun anew.
std::vector<std::string> statsd_datagrams(const Totals& now, const Totals& before, const ServiceView& view,
                                          const StatsdNames& names);

} // namespace cppcorn
