#include "server/supervision/scoreboard.hpp"

#include <new>

#include <sys/mman.h>

#include "base/system_call.hpp"

namespace cppcorn {

Scoreboard::Scoreboard(int capacity)
    : capacity_(static_cast<std::size_t>(capacity)), bells_(capacity_), crashes_(capacity_) {
    void* memory =
        ::mmap(nullptr, capacity_ * sizeof(ScoreboardSlot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw_system_error("cannot map the scoreboard");
    slots_ = new (memory) ScoreboardSlot[capacity_];
}

Scoreboard::~Scoreboard() {
    ::munmap(slots_, capacity_ * sizeof(ScoreboardSlot));
}

void Scoreboard::clear(int number) {
    slots_[number].clear();
    if (crashes_[number].version != 0) crashes_[number] = {};
}

void Scoreboard::prepare(int number) {
    clear(number);
    bell(number) = Bell::make();
}

void Scoreboard::vacate(int number) {
    clear(number);
    bell(number) = Bell();
}

void Scoreboard::tell(int number, WorkerOrder order) {
    slot(number).orders().give(order);
    bell(number).ring();
}

} // namespace cppcorn
