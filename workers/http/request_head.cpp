#include "workers/http/request_head.hpp"

namespace cppcorn::http {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// Views move only if they point into the old bytes: the path of "http://host" is a literal. Addresses are compared as
// numbers, as the old bytes may be gone.
class Mover {
  public:
    Mover(const char* from, std::size_t size, const char* to)
        : from_(reinterpret_cast<std::uintptr_t>(from)), size_(size), to_(to) {}

    void move(std::string_view& view) const {
        std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(view.data()) - from_;
        if (view.data() && offset <= size_) view = std::string_view(to_ + offset, view.size());
    }

  private:
    std::uintptr_t from_;
    std::size_t size_;
    const char* to_;
};

} // namespace

bool detail::same_letters(std::string_view a, std::string_view b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] != b[i] && lower(a[i]) != lower(b[i])) return false;
    }
    return true;
}

const Field* RequestHead::find(std::string_view name) const {
    for (const Field& field : fields) {
        if (equal_ignoring_case(field.name, name)) return &field;
    }
    return nullptr;
}

void RequestHead::rebase(const char* from, const char* to) {
    Mover mover(from, size, to);
    for (std::string_view* view : {&line, &method, &target, &path, &query, &authority}) mover.move(*view);
    for (Field& field : fields) {
        mover.move(field.name);
        mover.move(field.value);
    }
}

void RequestHead::clear() {
    line = method = target = path = query = authority = std::string_view();
    minor = 1;
    fields.clear();
    size = 0;
    content_length = 0;
    keep_alive = true;
    expect_continue = false;
}

} // namespace cppcorn::http
