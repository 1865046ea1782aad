#include "server/post_mortem/libdw.hpp"

#include <cstddef>
#include <cstdlib>

#include <dlfcn.h>
#include <sys/types.h>

#include "server/post_mortem/library_symbol.hpp"

namespace cppcorn {
namespace {

// What its headers declare, as far as it is used: the library's interface is stable, its symbols are versioned.
struct Dwfl;
struct DwflModule;
struct DwarfUnit;
struct DwarfLine;
struct DwarfFiles;

struct DwarfDie {
    void* address;
    DwarfUnit* unit;
    void* abbreviation;
    long padding;
};

struct DwarfAttribute {
    unsigned code;
    unsigned form;
    unsigned char* value;
    DwarfUnit* unit;
};

struct DwflCallbacks {
    void* find_elf;
    void* find_debuginfo;
    void* section_address;
    char** debuginfo_path;
};

constexpr int tag_subprogram = 0x2e;
constexpr int tag_inlined = 0x1d;
constexpr unsigned name_linkage = 0x6e;
constexpr unsigned call_file = 0x58;
constexpr unsigned call_line = 0x59;

// The library's functions.
struct Libdw {
    void* library = ::dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    bool is_complete = library != nullptr;

#define CPPCORN_LIBDW(name, ...)      \
    LibrarySymbol<__VA_ARGS__> name { \
        library, #name, is_complete   \
    }
    CPPCORN_LIBDW(dwfl_begin, Dwfl*(const DwflCallbacks*));
    CPPCORN_LIBDW(dwfl_end, void(Dwfl*));
    CPPCORN_LIBDW(dwfl_report_offline, DwflModule*(Dwfl*, const char*, const char*, int));
    CPPCORN_LIBDW(dwfl_report_end, int(Dwfl*, void*, void*));
    CPPCORN_LIBDW(dwfl_module_getelf, void*(DwflModule*, std::uint64_t*));
    CPPCORN_LIBDW(dwfl_module_nextcu, DwarfDie*(DwflModule*, DwarfDie*, std::uint64_t*));
    CPPCORN_LIBDW(dwfl_module_addrname, const char*(DwflModule*, std::uint64_t));
    CPPCORN_LIBDW(dwarf_haspc, int(DwarfDie*, std::uint64_t));
    CPPCORN_LIBDW(dwarf_getsrc_die, DwarfLine*(DwarfDie*, std::uint64_t));
    CPPCORN_LIBDW(dwarf_linesrc, const char*(DwarfLine*, std::uint64_t*, std::uint64_t*));
    CPPCORN_LIBDW(dwarf_lineno, int(DwarfLine*, int*));
    CPPCORN_LIBDW(dwarf_getscopes, int(DwarfDie*, std::uint64_t, DwarfDie**));
    CPPCORN_LIBDW(dwarf_getscopes_die, int(DwarfDie*, DwarfDie**));
    CPPCORN_LIBDW(dwarf_tag, int(DwarfDie*));
    CPPCORN_LIBDW(dwarf_diename, const char*(DwarfDie*));
    CPPCORN_LIBDW(dwarf_attr_integrate, DwarfAttribute*(DwarfDie*, unsigned, DwarfAttribute*));
    CPPCORN_LIBDW(dwarf_formstring, const char*(DwarfAttribute*));
    CPPCORN_LIBDW(dwarf_formudata, int(DwarfAttribute*, std::uint64_t*));
    CPPCORN_LIBDW(dwarf_getsrcfiles, int(DwarfDie*, DwarfFiles**, std::size_t*));
    CPPCORN_LIBDW(dwarf_filesrc, const char*(DwarfFiles*, std::size_t, std::uint64_t*, std::uint64_t*));
#undef CPPCORN_LIBDW

    void* find_debuginfo = symbol("dwfl_standard_find_debuginfo");
    void* section_address = symbol("dwfl_offline_section_address");

    void* symbol(const char* name) {
        void* const found = library == nullptr ? nullptr : ::dlsym(library, name);
        is_complete = is_complete && found != nullptr;
        return found;
    }
};

const Libdw& libdw() {
    static const Libdw functions;
    return functions;
}

std::string text_of(const char* text) {
    return text == nullptr ? "" : text;
}

class LibdwInfo final : public DebugInfo {
  public:
    explicit LibdwInfo(const std::string& path)
        : callbacks_{nullptr, dw_.find_debuginfo, dw_.section_address, nullptr} {
        dwfl_ = dw_.dwfl_begin(&callbacks_);
        if (dwfl_ == nullptr) return;
        module_ = dw_.dwfl_report_offline(dwfl_, path.c_str(), path.c_str(), -1);
        dw_.dwfl_report_end(dwfl_, static_cast<void*>(nullptr), static_cast<void*>(nullptr));
        if (module_ != nullptr) dw_.dwfl_module_getelf(module_, &bias_);
    }
    ~LibdwInfo() override {
        if (dwfl_ != nullptr) dw_.dwfl_end(dwfl_);
    }
    LibdwInfo(const LibdwInfo&) = delete;
    LibdwInfo& operator=(const LibdwInfo&) = delete;

    bool is_open() const { return module_ != nullptr; }

    std::vector<SourcePlace> places_at(std::uint64_t address) override {
        std::vector<SourcePlace> places = places_in_source(address);
        const std::string symbol = text_of(dw_.dwfl_module_addrname(module_, address + bias_));
        if (places.empty() && !symbol.empty()) places.push_back({symbol, "", 0, false});
        // Not every compiler notes the linker's names for all functions, but the symbols have the outermost one's.
        if (!places.empty() && !symbol.empty()) places.back().function = symbol;
        return places;
    }

  private:
    std::vector<SourcePlace> places_in_source(std::uint64_t address) {
        std::uint64_t bias = 0;
        for (DwarfDie* unit = nullptr; (unit = dw_.dwfl_module_nextcu(module_, unit, &bias)) != nullptr;) {
            const std::uint64_t own = address + bias_ - bias;
            if (dw_.dwarf_haspc(unit, own) > 0) return places_in_unit(*unit, own);
        }
        return {};
    }

    std::vector<SourcePlace> places_in_unit(DwarfDie& unit, std::uint64_t address) {
        SourcePlace place;
        if (DwarfLine* const line = dw_.dwarf_getsrc_die(&unit, address)) {
            int number = 0;
            place.file = text_of(
                dw_.dwarf_linesrc(line, static_cast<std::uint64_t*>(nullptr), static_cast<std::uint64_t*>(nullptr)));
            if (dw_.dwarf_lineno(line, &number) == 0) place.line = static_cast<unsigned>(number);
        }
        std::vector<SourcePlace> places;
        for (DwarfDie& scope : scopes_at(unit, address)) {
            const int tag = dw_.dwarf_tag(&scope);
            if (tag != tag_inlined && tag != tag_subprogram) continue;
            place.function = name_of(scope);
            place.is_inlined = tag == tag_inlined;
            places.push_back(place);
            if (tag == tag_subprogram) return places;
            place.file = file_of(unit, number_of(scope, call_file));
            place.line = static_cast<unsigned>(number_of(scope, call_line));
        }
        if (places.empty() && !place.file.empty()) places.push_back(place);
        return places;
    }

    // From the innermost out.
    std::vector<DwarfDie> scopes_at(DwarfDie& unit, std::uint64_t address) {
        DwarfDie* found = nullptr;
        const int count = dw_.dwarf_getscopes(&unit, address, &found);
        DwarfDie innermost{};
        for (int i = 0; i < count && innermost.address == nullptr; ++i) {
            const int tag = dw_.dwarf_tag(found + i);
            if (tag == tag_inlined || tag == tag_subprogram) innermost = found[i];
        }
        std::free(found);
        if (innermost.address == nullptr) return {};
        // The first list goes on where an inlined function is written; this one, where it is inlined.
        found = nullptr;
        const int outer_count = dw_.dwarf_getscopes_die(&innermost, &found);
        std::vector<DwarfDie> scopes;
        if (outer_count > 0) scopes.assign(found, found + outer_count);
        std::free(found);
        return scopes;
    }

    std::string name_of(DwarfDie& die) {
        DwarfAttribute attribute;
        if (dw_.dwarf_attr_integrate(&die, name_linkage, &attribute) != nullptr) {
            return text_of(dw_.dwarf_formstring(&attribute));
        }
        return text_of(dw_.dwarf_diename(&die));
    }

    std::uint64_t number_of(DwarfDie& die, unsigned code) {
        DwarfAttribute attribute;
        std::uint64_t number = 0;
        if (dw_.dwarf_attr_integrate(&die, code, &attribute) == nullptr) return 0;
        return dw_.dwarf_formudata(&attribute, &number) == 0 ? number : 0;
    }

    std::string file_of(DwarfDie& unit, std::uint64_t number) {
        DwarfFiles* files = nullptr;
        std::size_t count = 0;
        if (dw_.dwarf_getsrcfiles(&unit, &files, &count) != 0 || number >= count) return "";
        return text_of(dw_.dwarf_filesrc(files, static_cast<std::size_t>(number), static_cast<std::uint64_t*>(nullptr),
                                         static_cast<std::uint64_t*>(nullptr)));
    }

    const Libdw& dw_ = libdw();
    DwflCallbacks callbacks_;
    Dwfl* dwfl_ = nullptr;
    DwflModule* module_ = nullptr;
    std::uint64_t bias_ = 0; // between the file's own addresses and libdw's
};

} // namespace

std::unique_ptr<DebugInfo> open_debug_info(const std::string& path) {
    if (!libdw().is_complete) return nullptr;
    auto info = std::make_unique<LibdwInfo>(path);
    if (!info->is_open()) return nullptr;
    return info;
}

} // namespace cppcorn
