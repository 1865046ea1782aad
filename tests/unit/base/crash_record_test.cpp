#include "base/crash_record.hpp"

#include <cstring>
#include <memory>

#include "tests/catch.hpp"

namespace cppcorn {
namespace {

TEST_CASE("crash record: one that is all wrong is safe to read once it is checked") {
    const auto wild = std::make_unique<CrashRecord>();
    std::memset(static_cast<void*>(wild.get()), 0x41, sizeof *wild);
    CHECK(checked(*wild).version == 0);
    wild->version = CrashRecord::current_version;
    wild->is_stack_overflow = wild->left_the_code = wild->is_guessed = wild->is_torn = false;
    for (auto& module : wild->modules) module.is_server = false;
    wild->memory = CrashMemory::unknown;
    const CrashRecord record = checked(*wild);
    CHECK(record.version == CrashRecord::current_version);
    CHECK(record.frame_count == CrashRecord::max_frames);
    CHECK(record.module_count == CrashRecord::max_modules);
    CHECK(std::strlen(record.exception) == sizeof record.exception - 1);
    CHECK(std::strlen(record.thread_name) == sizeof record.thread_name - 1);
    CHECK(record.frames[5].module == -1);
    CHECK(record.modules[3].build_id_size == sizeof record.modules[3].build_id);
    CHECK(std::strlen(record.modules[3].path) == sizeof record.modules[3].path - 1);
}

TEST_CASE("crash record: a frame may name the modules that there are") {
    CrashRecord record{};
    record.version = CrashRecord::current_version;
    record.module_count = 2;
    record.frames[0].module = 1;
    record.frames[1].module = 2;
    CHECK(checked(record).frames[0].module == 1);
    CHECK(checked(record).frames[1].module == -1);
}

} // namespace
} // namespace cppcorn
