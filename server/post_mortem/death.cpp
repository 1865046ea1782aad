#include "server/post_mortem/death.hpp"

#include <algorithm>

#include <sys/wait.h>

#include "base/signals.hpp"

namespace cppcorn {

bool is_crash(int wait_status, const CrashRecord& crash) {
    if (!WIFSIGNALED(wait_status)) return false;
    if (crash.version != 0) return true;
    const auto signals = signals_used(ProcessKind::worker, SignalUse::crash);
    return std::find(signals.begin(), signals.end(), WTERMSIG(wait_status)) != signals.end();
}

} // namespace cppcorn
