// The bytes of an ELF file, which is not trusted: numbers in it may lead anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace cppcorn {

constexpr std::size_t max_elf_table = std::size_t{64} << 20; // bytes of one table that is read; larger ones are not

// From memory, or from a descriptor by pread: a mapped file that shrinks is a SIGBUS. Nothing beyond the end is ever
// read. Throws std::system_error if the file cannot be read. What it reads from outlives it.
class ElfBytes {
  public:
    explicit ElfBytes(std::string_view memory) : memory_(memory), size_(memory.size()) {}
    explicit ElfBytes(int fd);

    bool holds(std::uint64_t offset, std::uint64_t length) const { return offset <= size_ && length <= size_ - offset; }

    // False if they lie beyond the end.
    bool read(std::uint64_t offset, void* to, std::size_t length) const;

    template <class Struct>
    std::optional<Struct> read(std::uint64_t offset) const {
        Struct value{};
        if (!read(offset, &value, sizeof value)) return std::nullopt;
        return value;
    }

    // A table of `count` structs in the file's own layout.
    template <class Struct>
    std::optional<std::vector<Struct>> read_table(std::uint64_t offset, std::uint64_t count) const {
        if (count > max_elf_table / sizeof(Struct) || !holds(offset, count * sizeof(Struct))) return std::nullopt;
        std::vector<Struct> table(static_cast<std::size_t>(count));
        if (!read(offset, table.data(), table.size() * sizeof(Struct))) return std::nullopt;
        return table;
    }

  private:
    std::string_view memory_;
    int fd_ = -1;
    std::uint64_t size_ = 0;
};

} // namespace cppcorn
