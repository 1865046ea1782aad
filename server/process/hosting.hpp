// An interpreter that hosts this process: the server runs inside of it, and it loads apps of its language. Without one
// this process is the program `cppcorn`, and all of this does nothing.
#pragma once

#include <string>
#include <vector>

#include <cppcorn/abi.h>
#include <sys/types.h>

namespace cppcorn {

struct Hosting {
    std::string interpreter;          // for messages: "Python 3.11.2 (/usr/bin/python3)"
    std::vector<std::string> command; // what this process was started by, for whoever starts it anew
    std::vector<std::string> program; // to run the program itself, which is no file of its own here; without arguments
    cppcorn_entry_fn load = nullptr;  // loads an app that is no library
    // Whether there is such a module, as far as can be told without running any of it.
    bool (*knows)(const std::string& module, const std::vector<std::string>& directories) = nullptr;
    // What surrounds each fork in which the interpreter goes on. All are set.
    void (*before_fork)() = nullptr;
    void (*after_fork_in_parent)() = nullptr;
    void (*after_fork_in_child)() = nullptr;
    // In a process that has loaded the app and is to be forked from: makes the forks cheap, and warns of what of the
    // app they will not have.
    void (*settle_for_forks)() = nullptr;
};

// Before anything else. Holds for the process and all its forks.
void set_hosting(Hosting hosting);
// Null if there is none.
const Hosting* hosting();

// As fork(2), with what the interpreter has to do around it, which writes to some 140 pages of the child. For a child
// that goes on running, and in which the interpreter does.
pid_t fork_process();

// The same for a child whose parent is to be `parent`: a process above this one that takes in orphans
// (PR_SET_CHILD_SUBREAPER). What glibc, libraries and the interpreter do around a fork is done, unlike with
// clone(CLONE_PARENT). Returns 0 in the child, once it is that process's, which calls finish_fork() later; here 1, when it is there; -1 with errno if
// there can be none.
int fork_process_for(pid_t parent);

// In the child of fork_process_for(), before anything of the interpreter's or the app's runs in it: their part of the
// fork. A child that is forked in between shares all that this part writes to with the process above.
void finish_fork();

} // namespace cppcorn
