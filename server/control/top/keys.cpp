#include "server/control/top/keys.hpp"

#include <algorithm>

namespace cppcorn::top {
namespace {

const std::vector<KeyRow> table{
    {key_up, Command::up, "Up, Down", "choose a worker"},
    {key_down, Command::down, nullptr, ""},
    {key_page_up, Command::page_up, nullptr, ""},
    {key_page_down, Command::page_down, nullptr, ""},
    {key_home, Command::first, nullptr, ""},
    {key_end, Command::last, nullptr, ""},
    {'t', Command::stack, "t", "stack: where the app is in the chosen worker, which goes on"},
    {'c', Command::recycle, "c", "recycle: replace the chosen worker, once it has finished what it has begun"},
    {'r', Command::reload, "r", "reload"},
    {'+', Command::more_workers, "+, -", "one worker more, or fewer, until the next reload"},
    {'-', Command::fewer_workers, nullptr, ""},
    {'o', Command::reopen, "o", "reopen the log files"},
    {'d', Command::drain, "d",
     "drain: serve on, but say at /ready that no requests are wanted, until the next reload; asks first"},
    {'s', Command::stop, "s", "stop the service; asks first"},
    {'i', Command::reverse, "i", "the order of the rows the other way round"},
    {'h', Command::help, "h", "this help"},
    {'?', Command::help, nullptr, ""},
    {'q', Command::quit, "q", "quit"},
};

} // namespace

const std::vector<KeyRow>& keys() {
    return table;
}

Command command_of(int key) {
    const auto found = std::find_if(table.begin(), table.end(), [key](const KeyRow& row) { return row.key == key; });
    return found == table.end() ? Command::none : found->command;
}

} // namespace cppcorn::top
