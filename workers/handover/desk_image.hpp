// The connection on a worker's desk as it is after the worker's death: the picture, and what the kernel did of the call
// that the worker died in.
#pragma once

#include <cstdint>
#include <string_view>

#include "workers/handover/connection_image.hpp"
#include "workers/handover/worker_memory.hpp"

namespace cppcorn {

// Views into `memory`. False if the picture makes no sense.
bool image_of_picture(const WorkerMemory& memory, const DeskPicture& picture, ConnectionImage& image);

// Since the picture was made, so many bytes more were read of the client, and so many were sent to it. False if that
// cannot be: then nobody knows what the client has.
bool bring_up_to_date(const WorkerMemory& memory, const DeskPicture& picture, std::uint64_t read, std::uint64_t sent,
                      ConnectionImage& image);

// No request of it is left; behind the answers that it has, `answer` is the last one.
void end_with(std::string_view answer, ConnectionImage& image);
// Sends of its output what the client takes at once. Async-signal-safe.
void send_output(ConnectionImage& image);

} // namespace cppcorn
