#include "server/control/top/screen.hpp"

#include <cstdlib>
#include <string>

#ifdef CPPCORN_TOP

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <utility>

// Its functions are wanted, not the macros of the same names, which use variables of the library.
#define NCURSES_NOMACROS
#include <dlfcn.h>
#include <ncurses.h>
#include <poll.h>
#include <unistd.h>

#include "server/post_mortem/library_symbol.hpp"

namespace cppcorn::top {
namespace {

// What it is called where, with wide characters and without: only ASCII is written.
constexpr std::array library_names{"libncursesw.so.6", "libncurses.so.6"};

void* open_library() {
    for (const char* name : library_names) {
        if (void* const library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
    }
    return nullptr;
}

enum ColorPair : short { default_pair, green_pair, red_pair, yellow_pair };

struct Attributes {
    attr_t attributes;
    ColorPair pair;
};

Attributes attributes_of(Style style) {
    switch (style) {
        case Style::plain:
            break;
        case Style::strong:
            return {A_BOLD, default_pair};
        case Style::good:
            return {A_NORMAL, green_pair};
        case Style::bad:
            return {A_BOLD, red_pair};
        case Style::busy:
            return {A_NORMAL, yellow_pair};
        case Style::soft:
            return {A_DIM, default_pair};
        case Style::heading:
            return {A_BOLD | A_UNDERLINE, default_pair};
        case Style::chosen:
            return {A_REVERSE, default_pair};
    }
    return {A_NORMAL, default_pair};
}

int key_of(int code) {
    constexpr std::array<std::pair<int, Key>, 9> known{{{KEY_UP, key_up},
                                                        {KEY_DOWN, key_down},
                                                        {KEY_PPAGE, key_page_up},
                                                        {KEY_NPAGE, key_page_down},
                                                        {KEY_HOME, key_home},
                                                        {KEY_END, key_end},
                                                        {KEY_ENTER, key_enter},
                                                        {'\r', key_enter},
                                                        {KEY_RESIZE, key_resize}}};
    const auto* const found =
        std::find_if(known.begin(), known.end(), [code](const auto& each) { return each.first == code; });
    if (found != known.end()) return found->second;
    return code > 0 && code < 0x80 ? code : key_none;
}

void check_terminal() {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
        throw ScreenError("top needs a terminal; for programs there is /status.json");
    }
    const char* const term = std::getenv("TERM");
    if (term == nullptr || *term == '\0') throw ScreenError("TERM is not set, so the terminal's kind is not known");
}

// Of which ncurses knows nothing: it would say at once, and for ever, that there is no key.
void check_hang_up() {
    pollfd input{STDIN_FILENO, 0, 0};
    if (::poll(&input, 1, 0) > 0) throw ScreenError("the terminal is gone");
}

} // namespace

class Screen::Curses {
  public:
    Curses() {
        if (!is_complete_) throw ScreenError("top needs ncurses, which is not installed (Debian: libncurses6)");
        // Those that are not ignored, ncurses takes only if nobody has; an interpreter may have.
        for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
        if (newterm_(nullptr, stdout, stdin) == nullptr) {
            throw ScreenError(std::string("cannot use a terminal of the kind TERM=") + std::getenv("TERM"));
        }
        cbreak_();
        noecho_();
        nonl_();
        curs_set_(0);
        set_escdelay_(25);
        if (has_colors_()) {
            start_color_();
            use_default_colors_();
            init_pair_(green_pair, COLOR_GREEN, -1);
            init_pair_(red_pair, COLOR_RED, -1);
            init_pair_(yellow_pair, COLOR_YELLOW, -1);
        }
        window_ = newwin_(0, 0, 0, 0);
        if (window_ == nullptr) {
            endwin_();
            throw ScreenError("not enough memory for the screen");
        }
        keypad_(window_, true);
    }
    ~Curses() { endwin_(); }
    Curses(const Curses&) = delete;
    Curses& operator=(const Curses&) = delete;

    Size size() const {
        return {static_cast<std::size_t>(std::max(getmaxy_(window_), 0)),
                static_cast<std::size_t>(std::max(getmaxx_(window_), 0))};
    }

    void draw(const Picture& picture) {
        werase_(window_);
        for (std::size_t row = 0; row < picture.size(); ++row) {
            wmove_(window_, static_cast<int>(row), 0);
            for (const auto& [style, text] : picture[row]) {
                const Attributes attributes = attributes_of(style);
                wattr_set_(window_, attributes.attributes, attributes.pair, nullptr);
                waddnstr_(window_, text.data(), static_cast<int>(text.size()));
            }
        }
        wrefresh_(window_);
    }

    int read_key(Milliseconds patience) {
        wtimeout_(window_, static_cast<int>(patience.count()));
        const int code = wgetch_(window_);
        if (code == ERR) check_hang_up();
        const int key = key_of(code);
        // What a terminal shows after it was resized is not what was written to it.
        if (key == key_resize) redrawwin_(window_);
        return key;
    }

  private:
    void* library_ = open_library();
    bool is_complete_ = library_ != nullptr;
    WINDOW* window_ = nullptr;

#define CPPCORN_CURSES(name)                  \
    LibrarySymbol<decltype(::name)> name##_ { \
        library_, #name, is_complete_         \
    }
    CPPCORN_CURSES(newterm);
    CPPCORN_CURSES(endwin);
    CPPCORN_CURSES(cbreak);
    CPPCORN_CURSES(noecho);
    CPPCORN_CURSES(nonl);
    CPPCORN_CURSES(curs_set);
    CPPCORN_CURSES(set_escdelay);
    CPPCORN_CURSES(has_colors);
    CPPCORN_CURSES(start_color);
    CPPCORN_CURSES(use_default_colors);
    CPPCORN_CURSES(init_pair);
    CPPCORN_CURSES(newwin);
    CPPCORN_CURSES(keypad);
    CPPCORN_CURSES(getmaxy);
    CPPCORN_CURSES(getmaxx);
    CPPCORN_CURSES(werase);
    CPPCORN_CURSES(wmove);
    CPPCORN_CURSES(wattr_set);
    CPPCORN_CURSES(waddnstr);
    CPPCORN_CURSES(wrefresh);
    CPPCORN_CURSES(wtimeout);
    CPPCORN_CURSES(wgetch);
    CPPCORN_CURSES(redrawwin);
#undef CPPCORN_CURSES
};

Screen::Screen() {
    check_terminal();
    curses_ = std::make_unique<Curses>();
}

} // namespace cppcorn::top

#else

namespace cppcorn::top {

class Screen::Curses {
  public:
    Size size() const { return {}; }
    void draw(const Picture&) {}
    int read_key(Milliseconds) { return key_none; }
};

Screen::Screen() {
    throw ScreenError("this build has no top: ncurses was not there when it was built");
}

} // namespace cppcorn::top

#endif

namespace cppcorn::top {

Screen::~Screen() = default;

Size Screen::size() const {
    return curses_->size();
}

void Screen::draw(const Picture& picture) {
    curses_->draw(picture);
}

int Screen::read_key(Milliseconds patience) {
    return curses_->read_key(patience);
}

} // namespace cppcorn::top
