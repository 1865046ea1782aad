// Ends its worker in each way that there is, before or in the middle of a response, and answers other requests
// meanwhile; and does to the process's descriptors what an app must not do. COLLAPSE_FILE names a file to answer with.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <cppcorn/app.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace cppcorn;

namespace {

Response text(std::string text) {
    return {200, {{"Content-Type", "text/plain"}}, std::move(text)};
}

long number(const Request& request, const char* name) {
    return std::strtol(request.query_param(name).value_or("0").c_str(), nullptr, 10);
}

void sleep_ms(long ms) {
    timespec left{ms / 1000, ms % 1000 * 1'000'000};
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

// ---- Ends

__attribute__((no_sanitize("undefined"))) void write_nowhere() {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
}

// Memory that is mapped, of a file that is shorter by now.
void read_behind_file() {
    const int file = ::memfd_create("collapse", MFD_CLOEXEC);
    if (file < 0 || ::ftruncate(file, 8192) != 0) std::abort();
    auto* const bytes = static_cast<volatile char*>(::mmap(nullptr, 8192, PROT_READ, MAP_SHARED, file, 0));
    if (::ftruncate(file, 0) != 0) std::abort();
    static_cast<void>(bytes[4096]);
}

[[gnu::noinline]] void throw_out() {
    throw std::runtime_error("collapse: thrown where nothing may be");
}

void throw_uncaught() noexcept {
    throw_out();
}

[[gnu::noinline]] int recurse(volatile char* from) {
    volatile char room[4096];
    room[0] = *from;
    if (room[0] == 0) return 0; // never
    return recurse(room) + room[0];
}

void overflow_stack() {
    char start = 1;
    recurse(&start);
}

__attribute__((no_sanitize("address", "undefined"))) void smash_heap() {
    std::vector<void*> blocks;
    for (int i = 0; i < 64; ++i) blocks.push_back(std::malloc(static_cast<std::size_t>(40 + 16 * i)));
    for (void* const block : blocks) {
        auto* const bytes = static_cast<volatile unsigned char*>(block);
        for (int i = -16; i < 256; ++i) bytes[i] = 0xa5;
    }
    for (void* const block : blocks) std::free(block);
    for (std::size_t size = 8; size < 1 << 20; size *= 2) blocks.push_back(std::malloc(size));
    std::abort(); // an allocator that has noticed nothing
}

void spin() {
    const volatile bool forever = true;
    while (forever) {
    }
}

void be_deaf() {
    sigset_t all;
    ::sigfillset(&all);
    for (const int signal : {SIGTERM, SIGABRT, SIGINT, SIGQUIT}) std::signal(signal, SIG_IGN);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    for (;;) ::pause();
}

void wait_for_ever() {
    for (;;) ::pause();
}

void take_all_memory() {
    for (;;) {
        constexpr std::size_t size = std::size_t{1} << 20;
        void* const block = std::malloc(size);
        if (block != nullptr) std::memset(block, 1, size);
    }
}

struct Mapping {
    unsigned long begin;
    unsigned long end;
    unsigned long inode;
};

// Of a process: those that are writable and shared with others.
std::vector<Mapping> shared_mappings(pid_t pid) {
    std::vector<Mapping> found;
    std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
    for (std::string line; std::getline(maps, line);) {
        Mapping mapping{};
        char rights[5] = "";
        const int read =
            std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %lu", &mapping.begin, &mapping.end, rights, &mapping.inode);
        if (read == 4 && std::strcmp(rights, "rw-s") == 0) found.push_back(mapping);
    }
    return found;
}

// Whatever this process shares with its understudy gets other bytes here and there: what a bug in an app can do. What
// it shares with its parent, it shares with other workers.
__attribute__((no_sanitize("address", "undefined"))) void spoil_shared_memory(unsigned seed) {
    std::set<unsigned long> parents;
    for (const auto& mapping : shared_mappings(::getppid())) parents.insert(mapping.inode);
    for (const auto& mapping : shared_mappings(::getpid())) {
        if (parents.count(mapping.inode) != 0) continue;
        const unsigned long most = std::min(mapping.end, mapping.begin + (std::size_t{1} << 20));
        for (unsigned long at = mapping.begin; at < most; ++at) {
            seed = seed * 1'103'515'245 + 12'345;
            if ((seed >> 16) % 16 == 0)
                *reinterpret_cast<volatile unsigned char*>(at) = static_cast<unsigned char>(seed >> 20);
        }
    }
}

const struct {
    const char* name;
    void (*end)();
} ends[] = {
    {"segv", write_nowhere},
    {"bus", read_behind_file},
    {"abort", std::abort},
    {"exit", [] { ::_exit(3); }},
    {"exit_in_order", [] { std::exit(3); }}, // with the destructors of all that is static
    {"kill", [] { ::kill(::getpid(), SIGKILL); }},
    {"throw", throw_uncaught},
    {"overflow", overflow_stack},
    {"heap", smash_heap},
    {"spin", spin},
    {"deaf", be_deaf},
    {"wait", wait_for_ever},
    {"memory", take_all_memory},
};

void end_as(const std::string& name) {
    for (const auto& each : ends) {
        if (name == each.name) each.end();
    }
    std::abort();
}

// In the middle of a response, some of which is out.
// `length`: what it declares; 0: nothing.
Response end_in_body(const std::string& name, int length) {
    Response response = text("");
    if (length != 0) response.headers.set("Content-Length", std::to_string(length));
    response.body = [name](Writer& out) {
        out.write("first half\n");
        out.flush();
        end_as(name);
    };
    return response;
}

// ---- Descriptors that are not its own

void close_all() {
    for (int fd = 3; fd < 1024; ++fd) ::close(fd);
}

void replace_all() {
    const int other = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 3; fd < 256; ++fd) {
        if (fd != other && ::fcntl(fd, F_GETFD) >= 0) ::dup2(other, fd);
    }
}

void close_in_child() {
    const pid_t child = ::fork();
    if (child == 0) {
        close_all();
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
}

const struct {
    const char* name;
    void (*harm)();
} harms[] = {
    {"close", close_all},
    {"dup2", replace_all},
    {"close_range", [] { ::close_range(3, ~0U, 0); }},
    {"fork", close_in_child},
};

void harm_by(const std::string& name) {
    for (const auto& each : harms) {
        if (name == each.name) each.harm();
    }
}

} // namespace

class Collapse {
  public:
    Response operator()(Request& request) {
        const std::string_view path = request.path();
        const std::string how = request.query_param("how").value_or("");
        if (path == "/pid") return text(std::to_string(::getpid()) + "\n");
        if (path == "/big") return text(std::string(static_cast<std::size_t>(number(request, "bytes")), 'x'));
        if (path == "/file") return {200, {}, File(std::getenv("COLLAPSE_FILE"))};
        if (path == "/echo") return text(request.body());
        if (path == "/who") return text(std::to_string(::getpid()) + " " + request.body());
        if (path == "/peer") return text(peer(request));
        if (path == "/sleep") {
            const long ms = number(request, "ms");
            request.log(LogLevel::info, "collapse: sleeps for " + std::to_string(ms) + " ms");
            sleep_ms(ms);
            return text("slept\n");
        }
        if (path == "/end" || path == "/end-in-body") request.log(LogLevel::info, "collapse: ends");
        if (path == "/end") end_as(how);
        if (path == "/end-in-body") return end_in_body(how, number(request, "length"));
        if (path == "/harm") {
            harm_by(how);
            sleep_ms(number(request, "ms"));
            return text("harmed\n");
        }
        if (path == "/spoil") {
            spoil_shared_memory(static_cast<unsigned>(number(request, "seed")));
            sleep_ms(number(request, "ms")); // its understudy looks at the memory
            end_as(how);
        }
        return text("ok\n");
    }

  private:
    static std::string peer(const Request& request) {
        return std::string(request.remote_address()) + " " + std::string(request.scheme()) + " " +
               std::to_string(::getpid()) + "\n";
    }
};
CPPCORN_APP_CLASS(app, Collapse)
