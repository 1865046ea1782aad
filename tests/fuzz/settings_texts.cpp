// The texts that settings are made of: each parser takes what it is given or says what is wrong with it.
#include <stdexcept>

#include "server/release/address.hpp"
#include "server/settings/command_line.hpp"
#include "server/settings/config_file.hpp"
#include "server/settings/settings_loader.hpp"
#include "server/settings/shell_words.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "workers/app/app_spec.hpp"

using namespace cppcorn;

namespace {

template <class Error, class Parse>
void parse(Parse parse) try {
    parse();
} catch (const Error& error) {
    fuzz::require(*error.what() != '\0', "an error without a message");
}

void check_bind(const std::string& text) {
    const BindAddress address = parse_bind(text);
    fuzz::require(parse_bind(address.setting()) == address, "an address that is not read as it is told", text);
    address.text();
}

// In single quotes, every word stays what it is.
void check_words(const std::string& text) {
    const auto words = split_shell_words(text);
    std::string again;
    for (const std::string& word : words) {
        std::string quoted;
        for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
        again += "'" + quoted + "' ";
    }
    fuzz::require(split_shell_words(again) == words, "words that are not read as they are told", text);
    parse<UsageError>([&] { parse_command_line(words); });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size - 1);
    switch (data[size - 1] % 4) {
        case 0:
            parse<AppSpecError>([&] { parse_app_spec(text); });
            break;
        case 1:
            parse<std::invalid_argument>([&] { check_words(text); });
            break;
        case 2:
            parse<ConfigFileError>([&] { parse_config_file(text); });
            break;
        case 3:
            parse<std::invalid_argument>([&] { check_bind(text); });
            break;
    }
    return 0;
}
