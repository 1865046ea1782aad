#include "server/supervision/scoreboard.hpp"

#include <new>
#include <utility>

#include <sys/mman.h>

#include "base/system_call.hpp"

namespace cppcorn {

Scoreboard::Scoreboard(int capacity)
    : capacity_(static_cast<std::size_t>(capacity)),
      is_made_(capacity_),
      bells_(capacity_),
      understudy_bells_(capacity_),
      lookout_bell_(Bell::make()),
      crashes_(capacity_) {
    void* const memory = ::mmap(nullptr, size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw_system_error("cannot map the scoreboard");
    shared_ = new (memory) Shared;
    slots_ = reinterpret_cast<ScoreboardSlot*>(shared_ + 1);
}

Scoreboard::~Scoreboard() {
    ::munmap(shared_, size());
}

void Scoreboard::clear(int number) {
    slots_[number].clear();
    if (crashes_[number].version != 0) crashes_[number] = {};
}

void Scoreboard::make(int number) {
    if (is_made_[static_cast<std::size_t>(number)]) return;
    new (&slots_[number]) ScoreboardSlot;
    is_made_[static_cast<std::size_t>(number)] = true;
}

void Scoreboard::prepare(int number, Understudy understudy) {
    make(number);
    clear(number);
    bell(number) = Bell::make();
    understudy_bell(number) = understudy == Understudy::wanted ? Bell::make() : Bell();
}

void Scoreboard::vacate(int number) {
    clear(number);
    bell(number) = Bell();
    understudy_bell(number) = Bell();
}

void Scoreboard::forget_bells() {
    for (auto* bells : {&bells_, &understudy_bells_}) {
        for (Bell& each : *bells) each = Bell();
    }
}

void Scoreboard::take_bells(int number, Bell bell_of_worker, Bell bell_of_understudy) {
    bell(number) = std::move(bell_of_worker);
    understudy_bell(number) = std::move(bell_of_understudy);
}

void Scoreboard::tell(int number, WorkerOrder order) {
    slot(number).orders().give(order);
    bell(number).ring();
}

} // namespace cppcorn
