#include "workers/handover/client_check.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "workers/handover/socket_counts.hpp"
#include "workers/handover/watched_list.hpp"
#include "workers/handover/worker_notes.hpp"

namespace cppcorn {
namespace {

struct Search {
    int fd;
    std::uint32_t generation = 0; // with which it is watched
    std::array<int, WorkerNotes::most_others> others{};
    std::size_t other_count = 0;
};

void note(void* context, int fd, std::uint64_t tag) {
    Search& search = *static_cast<Search*>(context);
    const auto generation = static_cast<std::uint32_t>(tag >> 32);
    if (fd == search.fd) search.generation = generation;
    if (generation == 0 && search.other_count < search.others.size()) search.others[search.other_count++] = fd;
}

} // namespace

bool is_clients(int epoll, const DeskPicture& picture) {
    if (!is_connection(picture.fd)) return false;
    Search search{picture.fd};
    if (!for_each_watched(epoll, note, &search)) return false;
    if (search.generation != 0) return search.generation == picture.generation;
    const auto end = search.others.begin() + static_cast<std::ptrdiff_t>(search.other_count);
    return std::any_of(search.others.begin(), end,
                       [&](int other) { return is_listener(other) && is_same_end(other, picture.fd); });
}

} // namespace cppcorn
