#include "server/settings/reference.hpp"

#include "server/settings/settings_table.hpp"
#include "workers/access_log/access_format.hpp"

namespace cppcorn {
namespace {

constexpr const char* introduction = R"(# Settings

<!-- Made from server/settings/settings_table.cpp: CPPCORN_UPDATE_DOCS=1 script/test writes it anew. -->

Each setting can come from several places. From the weakest to the strongest:

1. its default;
2. the environment: `PORT` (listen on `0.0.0.0:$PORT`), `WEB_CONCURRENCY` (the number of workers), `FORWARDED_ALLOW_IPS` and
   `SCRIPT_NAME` (see [proxies.md](proxies.md)); a blank variable counts as unset;
3. the configuration file: the one that `--config` names, else `cppcorn.toml` in the directory that cppcorn is started in;
4. `CPPCORN_CMD_ARGS`, an environment variable that holds flags, split as a shell does: `--workers 4 --name "my app"`;
5. the command line.

A stronger source replaces the value of a weaker one; a setting that may be repeated is replaced as a whole.
`cppcorn --print-config APP` shows each value and where it came from, in the form of a configuration file.
`cppcorn --check-config APP` only checks them.

The file is written in TOML, without sections. A setting's key is its long flag without the dashes in front; `-` and `_` are
the same in keys and in flags. gunicorn's own keys (`accesslog`, `pidfile`, `raw_env` …) are understood as well:

```toml
app = "myapp:app"
bind = ["127.0.0.1:8000", "unix:/run/myapp.sock"]
workers = "auto"
timeout = 2.5
max_memory = "512M"
preload = true
```

Times are in seconds and may have decimals, and an `s` behind them. Sizes are in bytes, or with `K`, `M` or `G` at the
end. A switch is turned off again with `--preload=false`. A wrong setting stops cppcorn with one line that says what is
allowed: exit code 1 for a bad value or file, 2 for a command line that cannot be understood.
)";

// Text inside a table's cell.
std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '|') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string code(const std::string& text) {
    return "`" + cell(text) + "`";
}

std::string names(const Setting& setting) {
    if (setting.is_positional()) return code(setting.flag());
    std::string names = setting.short_flag != 0 ? code(std::string("-") + setting.short_flag) + ", " : "";
    for (std::size_t i = 0; i + 1 < setting.names.size(); ++i) names += code("--" + setting.names[i]) + ", ";
    const std::string last = "--" + setting.names.back();
    return names + code(setting.takes_value() ? last + " " + setting.value_name : last);
}

std::string default_cell(const Setting& setting) {
    const std::string text = setting.default_text();
    return setting.takes_value() && text != "none" ? code(text) : text;
}

std::string row(const Setting& setting) {
    const std::string environment = setting.environment != nullptr ? code(setting.environment) : "";
    return "| " + names(setting) + " | " + default_cell(setting) + " | " + environment + " | " + cell(setting.help) +
           " |\n";
}

std::string formats_of_access_log() {
    std::string text = R"(
## The access log's format

`--access-logformat` takes text with the atoms of this table, which are gunicorn's, but for `i`, `Q` and
`x`. A value that is missing is a dash; an unknown atom is refused.

| Atom | Stands for |
|---|---|
)";
    for (const AccessAtom& atom : access_atoms()) {
        text += "| " + code(atom.spelling) + " | " + cell(std::string(atom.meaning)) + " |\n";
    }
    return text + R"(
Two names stand for ready formats: `json` for an object a line, `logfmt` for `key=value` pairs. Both have `time`, `remote`,
`method`, `target`, `protocol`, `status` (0 if nothing was answered), `bytes`, `duration_us`, `referer`, `user_agent`,
`pid`, `request_id`, `queue_us` and `traceparent`; `request_line` as well, where a request
could not be understood, or was lost with its worker; then `pid` is the master's.

## The error log's format

`--log-format json` makes each line an object, in valid UTF-8, with `time` (UTC), `level` (as in `--log-level`), `pid`,
`role` (`master`, `worker`, `status`, `stand-in`, `lookout`, `probe`, `mold`) and `message`. Where the line is about a
request, it has `request_id`, `request` (the request line) and `client`, too; in text, it ends with ` request_id=…`.
Several lines that belong together, such as a stack, are one `message`. What is not the server's is not turned into
objects: what the app writes to stderr past the server, what Python's interpreter prints when it crashes or is asked for
a slow request's stack, and complaints about settings before there is a log.
)";
}

} // namespace

std::string settings_reference() {
    std::string reference = introduction;
    const Setting* previous = nullptr;
    for (const auto& setting : settings_table()) {
        if (previous == nullptr || previous->group != setting.group) {
            reference += std::string("\n## ") + group_title(setting.group) +
                         "\n\n| Setting | Default | Environment | Meaning |\n|---|---|---|---|\n";
        }
        reference += row(setting);
        previous = &setting;
    }
    return reference + formats_of_access_log();
}

} // namespace cppcorn
