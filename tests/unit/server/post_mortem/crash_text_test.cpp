#include "server/post_mortem/crash_text.hpp"

#include <algorithm>
#include <string>

#include <unistd.h>

#include "tests/catch.hpp"
#include "tests/unit/server/post_mortem/one_crash.hpp"

namespace cppcorn {
namespace {

std::string first_line(const Death& death) {
    const std::string text = crash_text(death, {});
    return text.substr(0, text.find('\n'));
}

TEST_CASE("crash text: without symbols, frames are paths and offsets that addr2line takes") {
    CHECK(crash_text(one_crash(), {}) ==
          "Stack of pid 7 at SIGSEGV: address 0x0, where no memory is, in a request\n"
          "  #0 /srv/shop.so(+0x100)\n"
          "  #1 /srv/shop.so(+0x200)\n"
          "  … 2 frames of the server\n"
          "  request: GET /x HTTP/1.1 from 192.0.2.1, for 0.0 s\n"
          "  requests served before: 3; peak memory: 2.0 MB\n"
          "  shop.so: build id ab0c");
}

TEST_CASE("crash text: with symbols, functions and lines, and those that are inlined") {
    CrashSymbols symbols;
    symbols.frames.resize(2);
    symbols.frames[0].places = {{"count(Cart*)", "/src/cart.cpp", 11, true}, {"total()", "/src/cart.cpp", 12, false}};
    symbols.frames[1].places = {{"app(cppcorn::Request&)", "", 0, false}};
    symbols.module_notes = {"the file is another one by now"};
    const std::string text = crash_text(one_crash(), symbols);
    CHECK(text.find("\n  #0 count(Cart*) at /src/cart.cpp:11, inlined\n"
                    "  #0 total() at /src/cart.cpp:12, /srv/shop.so(+0x100)\n"
                    "  #1 app(cppcorn::Request&), /srv/shop.so(+0x200)\n") != std::string::npos);
    CHECK(text.find("build id ab0c; the file is another one by now") != std::string::npos);
}

TEST_CASE("crash text: a private copy is called by the name of what it is a copy of") {
    CrashSymbols symbols;
    symbols.module_paths = {"/srv/original.so"};
    const std::string text = crash_text(one_crash(), symbols);
    CHECK(text.find("#0 /srv/original.so(+0x100)\n") != std::string::npos);
    CHECK(text.find("  original.so: build id ab0c") != std::string::npos);
}

TEST_CASE("crash text: frames of the app come first, then what the innermost of them had called") {
    Death death = one_crash();
    std::rotate(death.crash.frames, death.crash.frames + 4, death.crash.frames + 5); // libc's, to the front
    CrashSymbols symbols;
    symbols.frames.resize(1);
    symbols.frames[0].places = {{"memcpy", "", 0, false}};
    CHECK(crash_text(death, symbols)
              .find("in a request\n"
                    "  #0 /srv/shop.so(+0x100)\n"
                    "  #1 /srv/shop.so(+0x200)\n"
                    "  #0 was in: memcpy\n"
                    "  … 2 frames of the server\n") != std::string::npos);
}

TEST_CASE("crash text: a crash of the server alone shows its frames") {
    Death death = one_crash();
    std::copy(death.crash.frames + 2, death.crash.frames + 5, death.crash.frames);
    death.crash.frame_count = 3;
    CHECK(crash_text(death, {}).find("  #0 /usr/bin/cppcorn(+0x100)\n"
                                     "  #1 /usr/bin/cppcorn(+0x200)\n"
                                     "  #2 /lib/x86_64-linux-gnu/libc.so.6(+0x100)\n") != std::string::npos);
}

TEST_CASE("crash text: what a function of app.hpp does is none of the app's frames") {
    CrashSymbols symbols;
    symbols.frames.resize(2);
    symbols.frames[1].places = {{"cppcorn::kit::detail::answer()", "", 0, false}};
    const std::string text = crash_text(one_crash(), symbols);
    CHECK(text.find("#1") == std::string::npos);
    CHECK(text.find("3 frames of the server") != std::string::npos);
}

TEST_CASE("crash text: at most 15 lines, whatever there is to tell") {
    Death death = one_crash();
    std::strcpy(death.crash.exception, "std::runtime_error: two\nlines");
    death.crash.frame_count = CrashRecord::max_frames;
    for (int i = 0; i < CrashRecord::max_frames; ++i) {
        death.crash.frames[i] = {0x10000U + static_cast<unsigned>(i), 0};
    }
    const std::string text = crash_text(death, {});
    CHECK(std::count(text.begin(), text.end(), '\n') + 1 == most_crash_lines);
    CHECK(text.find("more lines like these\n") != std::string::npos);
    CHECK(text.find("Uncaught std::runtime_error: two\\x0alines\n") != std::string::npos);
    for (auto& frame : death.crash.frames) frame.address = 0x10000;
    CHECK(crash_text(death, {}).find("(+0x0), 64 times\n") != std::string::npos);
}

TEST_CASE("crash text: the first line says how it came about") {
    Death death = one_crash();
    CrashRecord& crash = death.crash;
    crash.is_stack_overflow = true;
    crash.address = 0x7000;
    CHECK(first_line(death) == "Stack of pid 7 at SIGSEGV: stack overflow at address 0x7000, in a request");
    crash.is_stack_overflow = false;
    crash.memory = CrashMemory::read_only;
    CHECK(first_line(death) == "Stack of pid 7 at SIGSEGV: address 0x7000, memory that is read only, in a request");
    crash.thread = 9;
    std::strcpy(crash.thread_name, "pool");
    crash.left_the_code = true;
    crash.frames[0] = {0, -1};
    CHECK(first_line(death) ==
          "Stack of pid 7 at SIGSEGV: a call or return to address 0x0, in a request, in thread 9 (pool)");
}

TEST_CASE("crash text: the first line says who sent the signal") {
    Death death = one_crash();
    CrashRecord& crash = death.crash;
    crash.code = SI_TKILL;
    crash.signal = SIGABRT;
    CHECK(first_line(death) == "Stack of pid 7 at SIGABRT: in a request");
    crash.sender = 7; // abort()
    CHECK(first_line(death) == "Stack of pid 7 at SIGABRT: in a request");
    crash.sender = ::getpid();
    CHECK(first_line(death) == "Stack of pid 7 at SIGABRT: sent by the master, in a request");
    crash.sender = 12;
    CHECK(first_line(death) == "Stack of pid 7 at SIGABRT: sent by pid 12, in a request");
}

TEST_CASE("crash text: a fault that could not be handled may be a thread's stack overflow") {
    Death death = one_crash();
    death.crash = {};
    CHECK(first_line(death).find("Stack of pid 7 at SIGSEGV: none, in a request. Perhaps a stack overflow in a "
                                 "thread of the app's") == 0);
}

TEST_CASE("crash text: no name gets a line of its own") {
    Death death = one_crash();
    std::strcpy(death.crash.modules[0].path, "/srv/sh\x1b\rop.so");
    CHECK(crash_text(death, {}).find("#0 /srv/sh??op.so(+0x100)\n") != std::string::npos);
}

} // namespace
} // namespace cppcorn
