// Follows the stack of a thread that has crashed. Async-signal-safe; but it reads memory that the crash may have left in
// disorder, so that it may itself fault at any point. What it has found by then stands in the record.
#pragma once

#include "base/crash_record.hpp"

namespace cppcorn {

// In the handler of a signal, whose third argument `context` is: notes what lies at the address of the fault, and all
// frames from the instruction that was interrupted. Changes the context where that is not in code.
void note_stack(CrashRecord& record, void* context);

// Notes the files that the frames lie in.
void note_modules(CrashRecord& record);

} // namespace cppcorn
