#include "workers/app/app_module.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>
#include <spdlog/spdlog.h>

#include "base/log/escape.hpp"
#include "workers/app/app_boundary.hpp"
#include "workers/app/app_file.hpp"
#include "workers/app/dl_error.hpp"

namespace cppcorn {
namespace {

constexpr std::size_t error_room = 512; // bytes for what an entry function says of its failure
constexpr int max_errno = 4096;

struct Unload {
    void operator()(void* library) const { call_app(::dlclose, library); }
};
using Library = std::unique_ptr<void, Unload>;

[[noreturn]] void fail(const std::string& path, std::string_view what) {
    throw AppLoadError(escaped(path).append(what));
}

// The loader takes a name without a "/" for one to search, and it knows a library again by its name: a symbolic link
// that points elsewhere since the last time must not give the old one.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    if (real == nullptr) fail(path, fmt::format(": cannot be found: {}", std::generic_category().message(errno)));
    return real.get();
}

// While it lives, the loader takes a loaded library for one that is asked for by that name. It knows libraries by their
// soname, which not all have; else by the name that its list has for them, which is the copy's.
class BorrowedName {
  public:
    BorrowedName(void* library, const std::string& name) {
        if (::dlinfo(library, RTLD_DI_LINKMAP, &map_) != 0) return;
        saved_ = std::exchange(map_->l_name, const_cast<char*>(name.c_str()));
    }
    BorrowedName(BorrowedName&& other) noexcept
        : map_(std::exchange(other.map_, nullptr)), saved_(std::exchange(other.saved_, nullptr)) {}
    BorrowedName& operator=(BorrowedName&&) = delete;
    ~BorrowedName() {
        if (saved_ != nullptr) map_->l_name = saved_;
    }

  private:
    link_map* map_ = nullptr;
    char* saved_ = nullptr;
};

// The loader's last complaint, with the originals' names in the place of the copies'.
std::string last_dl_error(const AppBuild& build) {
    const char* const error = ::dlerror();
    std::string text = error == nullptr ? "" : error;
    for (std::size_t i = 0; i < build.libraries().size(); ++i) {
        const std::string& file = build.file(i);
        const std::string& path = build.libraries()[i].path;
        for (std::size_t at = 0; (at = text.find(file, at)) != std::string::npos; at += path.size()) {
            text.replace(at, file.size(), path);
        }
    }
    return text;
}

// Null if it cannot be loaded. Those that it needs are at their places in `loaded`.
Library open_one(const AppBuild& build, std::size_t which, const std::vector<Library>& loaded) {
    const AppLibrary& wanted = build.libraries()[which];
    std::vector<BorrowedName> names;
    for (const auto& need : wanted.needs) {
        const Library& neighbour = loaded[need.library];
        if (neighbour != nullptr && build.libraries()[need.library].soname != need.name) {
            names.emplace_back(neighbour.get(), need.name);
        }
    }
    Library library(call_app(::dlopen, real_path(build.file(which)).c_str(), RTLD_NOW | RTLD_LOCAL));
    while (!names.empty()) names.pop_back(); // the last borrowed first: a neighbour may have lent two
    return library;
}

// The neighbours first: the loader takes what is there for what the app needs.
Library open_library(const AppBuild& build) {
    std::vector<Library> loaded;
    for (std::size_t i = 0; i < build.libraries().size(); ++i) {
        const bool is_app = i + 1 == build.libraries().size();
        if (!is_app && !build.is_copied()) {
            loaded.emplace_back(nullptr); // the loader finds it
            continue;
        }
        loaded.push_back(open_one(build, i, loaded));
        if (loaded.back() != nullptr) continue;
        const std::string error = last_dl_error(build);
        if (is_app) throw AppLoadError(explain_dl_error(build.path(), real_path(build.libraries()[i].path), error));
        // One that leans on who loads it. If it is broken, the app cannot be loaded with it either.
        spdlog::warn("{} is used where it is: it cannot be loaded by itself: {}", escaped(build.libraries()[i].path),
                     escaped(error));
    }
    return std::move(loaded.back());
}

template <class Function>
Function find_function(void* library, const std::string& symbol) {
    return reinterpret_cast<Function>(::dlsym(library, symbol.c_str()));
}

void check_info(const std::string& path, void* library) {
    const auto function = find_function<cppcorn_module_info_fn>(library, CPPCORN_MODULE_INFO_SYMBOL);
    const cppcorn_module_info* const info = function == nullptr ? nullptr : call_app(function);
    const bool is_app =
        info != nullptr && CPPCORN_HAS(info, cppcorn_module_info, abi_major) && info->magic == CPPCORN_MAGIC;
    if (!is_app) fail(path, " is a shared library but not a cppcorn app");
    if (info->abi_major != CPPCORN_ABI_MAJOR) {
        fail(path, fmt::format(": built for ABI {}; this server speaks ABI {}", info->abi_major, CPPCORN_ABI_MAJOR));
    }
}

struct ToValue {
    cppcorn_value value{};

    void operator()(std::monostate) { value.type = CPPCORN_NULL; }
    void operator()(bool flag) {
        value.type = CPPCORN_BOOL;
        value.flag = flag ? 1 : 0;
    }
    void operator()(std::int64_t integer) {
        value.type = CPPCORN_INTEGER;
        value.integer = integer;
    }
    void operator()(double real) {
        value.type = CPPCORN_REAL;
        value.real = real;
    }
    void operator()(const std::string& text) {
        value.type = CPPCORN_TEXT;
        value.text = {text.c_str(), text.size()};
    }
};

// The values point into the spec's texts.
std::vector<cppcorn_value> values_of(const AppSpec& spec) {
    std::vector<cppcorn_value> values;
    for (const AppArgument& argument : spec.arguments) {
        ToValue convert;
        std::visit(convert, argument);
        values.push_back(convert.value);
    }
    return values;
}

std::string reason_of(int result, const std::array<char, error_room>& error) {
    const std::string_view text(error.data(), ::strnlen(error.data(), error.size()));
    if (!text.empty()) return escaped(text);
    const bool is_errno = result < 0 && result > -max_errno;
    return is_errno ? fmt::format("failed: {}", std::generic_category().message(-result))
                    : fmt::format("failed with {}", result);
}

// What the module filled in. Zero beyond the size that it lowered the table to.
cppcorn_app checked_app(const std::string& path, const std::string& call, const cppcorn_app& filled) {
    const bool is_possible = CPPCORN_HAS(&filled, cppcorn_app, handle) && filled.size <= sizeof filled;
    if (!is_possible) {
        fail(path, fmt::format(": {} set the app's size to {}; possible are {} to {}", call, filled.size,
                               offsetof(cppcorn_app, handle) + sizeof filled.handle, sizeof filled));
    }
    cppcorn_app app{};
    std::memcpy(&app, &filled, filled.size);
    if (app.handle == nullptr) fail(path, fmt::format(": {} set no handle function", call));
    return app;
}

// `failure`: what stands before the reason.
cppcorn_app run_entry(cppcorn_entry_fn entry, const std::string& path, const AppSpec& spec, const cppcorn_host& host,
                      const std::string& failure) {
    const std::vector<cppcorn_value> values = values_of(spec);
    std::array<char, error_room> error{};
    cppcorn_app app{};
    app.size = sizeof app;
    cppcorn_load load{};
    load.size = sizeof load;
    load.arg_count = static_cast<std::uint32_t>(values.size());
    load.args = values.data();
    load.host = &host;
    load.app = &app;
    load.error = error.data();
    load.error_room = error.size();

    const int result = call_app(entry, &load);
    if (result == -ENOENT) throw AppNotFound(failure + reason_of(result, error));
    if (result != 0) throw AppLoadError(failure + reason_of(result, error));
    return checked_app(path, spec.call, app);
}

cppcorn_app enter(const std::string& path, void* library, const AppSpec& spec, const cppcorn_host& host) {
    const auto entry = find_function<cppcorn_entry_fn>(library, CPPCORN_APP_SYMBOL_PREFIX + spec.name);
    if (entry == nullptr) fail(path, fmt::format(" has no app '{}'", spec.name));
    return run_entry(entry, path, spec, host, spec.call + ": ");
}

} // namespace

AppModule::AppModule(const AppBuild& build, const AppSpec& spec, const cppcorn_host& host) : path_(build.path()) {
    check_app_file(path_, build.file(build.libraries().size() - 1), spec.name);
    Library library = open_library(build);
    check_info(path_, library.get());
    app_ = enter(path_, library.get(), spec, host);
    library_ = library.release();
}

AppModule::AppModule(const std::string& path, const AppSpec& spec, const cppcorn_host& host)
    : AppModule(AppBuild(path), spec, host) {}

AppModule::AppModule(cppcorn_entry_fn entry, const AppSpec& spec, const cppcorn_host& host)
    : path_(spec.module), app_(run_entry(entry, path_, spec, host, "")) {}

AppModule::AppModule(AppModule&& other) noexcept
    : path_(std::move(other.path_)),
      library_(std::exchange(other.library_, nullptr)),
      app_(std::exchange(other.app_, cppcorn_app{})) {}

AppModule::~AppModule() {
    if (app_.destroy != nullptr) call_app(app_.destroy, app_.self);
    if (library_ != nullptr) call_app(::dlclose, library_);
}

} // namespace cppcorn
