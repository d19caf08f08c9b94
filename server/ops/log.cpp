// SPDX-License-Identifier: Apache-2.0
#include "server/ops/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <mutex>

namespace estia::ops {
namespace {

constexpr std::size_t kLongestValue = 1024;  // a path may be long; a line stays one line to read

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::shared_ptr<spdlog::logger> make_logger(Level least, std::ostream& out) {
  auto logger = std::make_shared<spdlog::logger>(
      "estia", std::make_shared<spdlog::sinks::ostream_sink_mt>(out, true));
  logger->set_pattern("time=%Y-%m-%dT%H:%M:%S.%eZ level=%l %v", spdlog::pattern_time_type::utc);
  logger->set_level(to_spdlog(least));
  return logger;
}

struct Logging {
  std::mutex mutex;  // guards current
  std::shared_ptr<spdlog::logger> current = make_logger(Level::info, std::cerr);
};

Logging& logging() {
  static auto* instance = new Logging;  // never destroyed: threads may log while the process ends
  return *instance;
}

std::shared_ptr<spdlog::logger> current_logger() {
  Logging& state = logging();
  const std::lock_guard lock(state.mutex);
  return state.current;
}

bool is_bare(char c) noexcept {
  return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '=';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c >= ' ' && c < '\x7f') {
    out += c;
  } else {
    const auto byte = static_cast<unsigned char>(c);
    out += "\\x";
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
}

}  // namespace

std::string escape(std::string_view value) {
  const bool cut = value.size() > kLongestValue;
  value = value.substr(0, kLongestValue);
  if (!cut && !value.empty() && std::all_of(value.begin(), value.end(), is_bare)) {
    return std::string(value);
  }
  std::string out = "\"";
  for (const char c : value) {
    append_escaped(out, c);
  }
  return out += cut ? "...\"" : "\"";
}

std::string format_event(std::string_view event, std::initializer_list<Field> fields) {
  std::string line = "event=" + escape(event);
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    line += escape(field.value);
  }
  return line;
}

void set_up_log(Level least, std::ostream& out) {
  auto logger = make_logger(least, out);
  Logging& state = logging();
  const std::lock_guard lock(state.mutex);
  state.current = std::move(logger);
}

void set_up_log(Level least) {
  set_up_log(least, std::cerr);
}

void log(Level level, std::string_view event, std::initializer_list<Field> fields) noexcept {
  try {
    const auto logger = current_logger();
    if (logger->should_log(to_spdlog(level))) {
      // The text is an argument, never a format: values may hold braces.
      logger->log(to_spdlog(level), "{}", format_event(event, fields));
    }
  } catch (...) {
    // A log line that cannot be written must not fail the request it tells about.
    return;
  }
}

}  // namespace estia::ops
