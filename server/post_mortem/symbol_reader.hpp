// The process that looks up what the addresses of a crash mean: this program, run anew with one argument. It reads files
// that may be broken, with a library that was not written for such, so it may crash or be killed without harm.
#pragma once

namespace cppcorn {

inline constexpr const char* symbol_reader_argument = "--read-symbols-of-crash";
// Where a CrashRecord stands, and behind it the answer is written, as server/post_mortem/symbols.hpp has it.
inline constexpr int symbol_reader_fd = 3;
// Where the copy of a stack stands, if the process lives: the record, which has no frames and no signal then, is filled
// in first.
inline constexpr long live_stack_at = 2L << 20;

// For main(). Returns the exit code.
int run_symbol_reader();

} // namespace cppcorn
