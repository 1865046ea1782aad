#include "workers/context/request_ids.hpp"

#include <fstream>

#include <sys/random.h>
#include <unistd.h>

namespace cppcorn {

RequestIds::Seed RequestIds::random_seed() {
    Seed seed{};
    if (::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed)) return seed;
    // Where a sandbox forbids that call. Not std::random_device, which would want glibc 2.36 of the wheel.
    std::ifstream("/dev/urandom", std::ios::binary).read(reinterpret_cast<char*>(&seed), sizeof seed);
    seed.worker ^= static_cast<std::uint64_t>(::getpid());
    return seed;
}

} // namespace cppcorn
