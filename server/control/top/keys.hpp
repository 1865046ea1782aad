// What the keys do: one table, which the screen's help is made of as well. Pure.
#pragma once

#include <string>
#include <vector>

namespace cppcorn::top {

// A key is its character, or one of these.
enum Key : int {
    key_none = 0,
    key_enter = '\n',
    key_escape = 27,
    key_up = 0x100,
    key_down,
    key_page_up,
    key_page_down,
    key_home,
    key_end,
    key_resize,
};

enum class Command {
    none,
    quit,
    help,
    up,
    down,
    page_up,
    page_down,
    first,
    last,
    reverse, // the order of the rows
    reload,
    more_workers,
    fewer_workers,
    recycle,
    stack,
    reopen,
    drain,
    stop,
};

struct KeyRow {
    int key;
    Command command;
    const char* name; // of the key, for people; nullptr: a second key for the command
    const char* what; // it does
};

const std::vector<KeyRow>& keys();

Command command_of(int key);

} // namespace cppcorn::top
