// Puts the actions and the mask of the program's signals back, whatever a test has made of them.
#pragma once

#include <csignal>
#include <iterator>

#include "base/signals.hpp"

class SavedSignals {
  public:
    SavedSignals() {
        ::sigprocmask(SIG_SETMASK, nullptr, &mask_);
        for (std::size_t i = 0; i < count; ++i) ::sigaction(cppcorn::signal_table[i].number, nullptr, &actions_[i]);
    }
    SavedSignals(const SavedSignals&) = delete;
    SavedSignals& operator=(const SavedSignals&) = delete;
    ~SavedSignals() {
        // That of SIGKILL cannot be set, and needs no setting.
        for (std::size_t i = 0; i < count; ++i) ::sigaction(cppcorn::signal_table[i].number, &actions_[i], nullptr);
        ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
    }

  private:
    static constexpr std::size_t count = std::size(cppcorn::signal_table);

    sigset_t mask_;
    struct sigaction actions_[count];
};
