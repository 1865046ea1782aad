// How a shared library is tied to others and to its place, read without loading it. Files are not trusted, as in
// elf_file.hpp: a hostile one gives a poorer answer.
#pragma once

#include <string>
#include <vector>

namespace cppcorn {

struct ElfLinks {
    std::vector<std::string> needed; // DT_NEEDED, as written
    std::string soname;              // empty: it has none
    std::string run_path;            // DT_RUNPATH or, without one, DT_RPATH: directories with colons between them
    bool is_inherited = false;       // that was a DT_RPATH: the libraries that it loads search there as well
    bool asks_where_it_is = false;   // it calls dladdr or the like, which tells its place and name
    std::string build_id;            // in hexadecimal; empty: it has none
};

// Of a native shared library; empty for anything else. Throws std::system_error if it cannot be read.
ElfLinks read_elf_links(int fd);

} // namespace cppcorn
