// What is logged while it lives, without dates: "info Worker ready …". For one test at a time, as the logger is the
// process's; the one before is put back at the end.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace cppcorn {

class LogText {
  public:
    LogText() : before_(spdlog::default_logger()) {
        auto logger = std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_));
        logger->set_pattern("%l %v");
        spdlog::set_default_logger(logger);
    }
    ~LogText() { spdlog::set_default_logger(before_); }
    LogText(const LogText&) = delete;
    LogText& operator=(const LogText&) = delete;

    std::string text() const { return text_.str(); }

  private:
    std::ostringstream text_;
    std::shared_ptr<spdlog::logger> before_;
};

} // namespace cppcorn
