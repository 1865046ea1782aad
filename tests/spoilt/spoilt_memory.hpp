// Memory of a worker as an app that writes where it must not leaves it: anywhere between a byte that is wrong and a
// forgery that is right in all but what it is about.
#pragma once

#include <random>
#include <span>
#include <vector>

#include "workers/handover/worker_memory.hpp"

namespace cppcorn::spoilt {

// Takes its choices from wherever: a generator, or a fuzzer's input.
class Choices {
  public:
    virtual ~Choices() = default;
    // Below `end`, which is not 0.
    virtual std::uint32_t below(std::uint32_t end) = 0;

    bool coin() { return below(2) == 0; }
    std::uint32_t any() { return below(1U << 16) << 16 | below(1U << 16); }
    template <class T>
    T one_of(std::span<const T> values) {
        return values[below(static_cast<std::uint32_t>(values.size()))];
    }
};

class RandomChoices : public Choices {
  public:
    explicit RandomChoices(std::uint64_t seed) : random_(seed) {}
    std::uint32_t below(std::uint32_t end) override { return static_cast<std::uint32_t>(random_() % end); }

  private:
    std::mt19937_64 random_;
};

// Spoils the memory. `descriptors` are those that the process has, seats or not.
void spoil(WorkerMemory& memory, std::span<const int> descriptors, Choices& choices);

} // namespace cppcorn::spoilt
