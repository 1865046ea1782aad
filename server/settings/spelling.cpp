#include "server/settings/spelling.hpp"

#include <algorithm>

#include "server/settings/rows/refused.hpp"
#include "server/settings/settings_table.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t longest_name = 64;

// Edits that turn one text into the other: a character inserted, dropped, replaced, or swapped with its neighbour.
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::vector<std::size_t>> cost(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
    for (std::size_t i = 0; i <= from.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= to.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= from.size(); ++i) {
        for (std::size_t j = 1; j <= to.size(); ++j) {
            const std::size_t replaced = cost[i - 1][j - 1] + (from[i - 1] != to[j - 1]);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, replaced});
            if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[from.size()][to.size()];
}

struct Nearest {
    explicit Nearest(std::string_view name)
        : wanted(normalized_name(name)), least(std::max<std::size_t>(1, wanted.size() / 4) + 1) {}

    void consider(const std::string& name) {
        if (wanted.size() < 2 || wanted.size() > longest_name) return;
        std::size_t distance = edit_distance(wanted, normalized_name(name));
        // Who is used to argparse types the beginning of a name.
        if (wanted.size() > 2 && normalized_name(name).rfind(wanted, 0) == 0) distance = 1;
        if (distance >= least) return;
        least = distance;
        found = name;
    }

    std::string wanted;
    std::size_t least;
    std::string found;
};

} // namespace

std::string nearest_flag(std::string_view name) {
    Nearest nearest(name);
    for (const auto& setting : settings_table()) {
        if (setting.is_positional()) continue;
        for (const auto& each : setting.names) nearest.consider(each);
    }
    return nearest.found;
}

std::string nearest_key(std::string_view name) {
    Nearest nearest(name);
    for (const auto& setting : settings_table()) {
        if (setting.scope == Setting::Scope::command_line) continue;
        for (const auto& each : setting.names) nearest.consider(normalized_name(each));
        for (const auto& each : setting.file_names) nearest.consider(each);
    }
    return nearest.found;
}

} // namespace cppcorn
