// A crash as a worker leaves it: two frames of an app, two of the server, one of libc.
#pragma once

#include <csignal>
#include <cstring>

#include "server/post_mortem/death.hpp"

namespace cppcorn {

inline void add_module(CrashRecord& crash, const char* path, std::uint64_t base, bool is_server = false) {
    CrashModule& module = crash.modules[crash.module_count++];
    std::strcpy(module.path, path);
    module.base = base;
    module.is_server = is_server;
    module.build_id_size = 2;
    module.build_id[0] = 0xab;
    module.build_id[1] = 0x0c;
}

inline void add_frame(CrashRecord& crash, std::uint64_t address, int module) {
    crash.frames[crash.frame_count++] = {address, module};
}

inline Death one_crash() {
    Death death;
    death.pid = 7;
    death.signal = SIGSEGV;
    death.place = "in a request";
    death.request = "GET /x HTTP/1.1";
    death.client = "192.0.2.1";
    death.served = 3;
    death.peak_kib = 2048;
    CrashRecord& crash = death.crash;
    crash.version = CrashRecord::current_version;
    crash.signal = SIGSEGV;
    crash.code = SEGV_MAPERR;
    crash.process = crash.thread = 7;
    crash.memory = CrashMemory::unmapped;
    add_module(crash, "/srv/shop.so", 0x10000);
    add_module(crash, "/usr/bin/cppcorn", 0x20000, true);
    add_module(crash, "/lib/x86_64-linux-gnu/libc.so.6", 0x30000);
    add_frame(crash, 0x10100, 0);
    add_frame(crash, 0x10200, 0);
    add_frame(crash, 0x20100, 1);
    add_frame(crash, 0x20200, 1);
    add_frame(crash, 0x30100, 2);
    return death;
}

} // namespace cppcorn
