// The memory of a worker as its app may have spoilt it: what an understudy makes of it lies within the arena, whatever it
// says.
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/spoilt/spoilt_memory.hpp"
#include "workers/handover/desk_image.hpp"
#include "workers/handover/move_message.hpp"
#include "workers/handover/seat_image.hpp"

using namespace cppcorn;

namespace {

constexpr int seat_count = 16;
constexpr int descriptors[] = {3, 5, 7, 9, 15};

class InputChoices : public spoilt::Choices {
  public:
    explicit InputChoices(FuzzedDataProvider& input) : input_(input) {}
    std::uint32_t below(std::uint32_t end) override { return input_.ConsumeIntegralInRange<std::uint32_t>(0, end - 1); }

  private:
    FuzzedDataProvider& input_;
};

WorkerMemory& fresh_memory() {
    static WorkerMemory memory(seat_count, std::size_t{1} << 14);
    void* const begin = &memory.desk();
    const auto size = reinterpret_cast<char*>(memory.seat(seat_count - 1) + 1) - static_cast<char*>(begin);
    std::memset(begin, 0, static_cast<std::size_t>(size));
    std::memset(const_cast<char*>(memory.arena().at(0)), 0, memory.arena().size());
    memory.row_of({"127.0.0.1", 8000, 0, 0});
    return memory;
}

// All of it can be read, and it makes a message that its reader takes for one.
void examine(const WorkerMemory& memory, const ConnectionImage& image, bool is_whole) {
    std::size_t sum = 0;
    for (const auto section : image.sections) {
        if (section.empty()) continue;
        const bool is_within =
            memory.arena().contains(section.data()) && memory.arena().contains(section.data() + section.size() - 1);
        fuzz::require(is_within, "a section lies outside of the arena");
        for (const char byte : section) sum += static_cast<unsigned char>(byte);
    }
    fuzz::require(sum < SIZE_MAX, "never");
    fuzz::require(image.record.request.file_count <= RequestState::most_files, "it has too many files");
    if (is_whole) fuzz::require(fault_of(record_to_write(image, 1)) == nullptr, "its reader will not have it");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    FuzzedDataProvider input(data, size);
    InputChoices choices(input);
    WorkerMemory& memory = fresh_memory();
    spoilt::spoil(memory, descriptors, choices);
    for (int fd = -1; fd <= seat_count; ++fd) {
        ConnectionImage image;
        if (image_of(memory, fd, image)) examine(memory, image, true);
    }
    const DeskPicture picture = memory.desk().picture();
    ConnectionImage image;
    if (!image_of_picture(memory, picture, image)) return 0;
    examine(memory, image, false);
    const std::uint64_t read =
        choices.coin() ? choices.below(10000) : std::uint64_t{choices.any()} << choices.below(33);
    const std::uint64_t sent =
        choices.coin() ? choices.below(10000) : std::uint64_t{choices.any()} << choices.below(33);
    if (!bring_up_to_date(memory, picture, read, sent, image)) return 0;
    examine(memory, image, false);
    end_with("HTTP/1.1 500 Internal Server Error\r\n\r\n", image);
    examine(memory, image, true);
    return 0;
}
