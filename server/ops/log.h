// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>

namespace estia::ops {

enum class Level { debug, info, warning, error };

/// One key=value of a line. Values may come from a peer: they are escaped when written. Never a
/// secret, a body or an Authorization field.
struct Field {
  std::string_view key;
  std::string value;
};

/// The least level that is written, and where to. Call it before other threads log; `out` outlives
/// the process's logging. Without this call: info and above to stderr.
void set_up_log(Level least, std::ostream& out);
void set_up_log(Level least);

/// Writes one line for one event, "time=... level=... event=... key=value ...". Any thread.
void log(Level level, std::string_view event, std::initializer_list<Field> fields) noexcept;

/// The part of the line from "event=" on.
[[nodiscard]] std::string format_event(std::string_view event, std::initializer_list<Field> fields);

/// A value as it stands in a line: bare where that is unambiguous, else quoted, with quotes,
/// backslashes and everything that is not printable ASCII escaped, so that no value can end a line
/// or look like another field.
[[nodiscard]] std::string escape(std::string_view value);

}  // namespace estia::ops
