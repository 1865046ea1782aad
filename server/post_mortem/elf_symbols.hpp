// The symbols of a library's file, without any library to read them. For the process that looks up a crash only: a file
// that is broken on purpose, or shrinks meanwhile, may crash it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cppcorn {

// Maps the file. Not copyable.
class ElfSymbols {
  public:
    // Without symbols if it cannot be read or is none of this machine's.
    explicit ElfSymbols(const std::string& path);
    ~ElfSymbols();
    ElfSymbols(const ElfSymbols&) = delete;
    ElfSymbols& operator=(const ElfSymbols&) = delete;

    bool is_open() const { return bytes_ != nullptr; }
    // Bytes; empty if it has none.
    std::string_view build_id() const;
    // The name, mangled, of the function that holds this address of the file's own; empty if none does.
    std::string_view function_at(std::uint64_t address) const;

  private:
    const void* at(std::uint64_t offset, std::uint64_t size) const;
    std::string_view function_in(const void* section, std::uint64_t address) const;

    const char* bytes_ = nullptr;
    std::uint64_t size_ = 0;
};

} // namespace cppcorn
