// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace estia::ca {

/// The first character of a UTF-8 text that whoever reads a name cannot see, or that changes how
/// the rest is read, as "U+202E"; "no UTF-8" for what does not decode; nullopt when there is none.
/// Such characters are (Unicode 15): control (Cc), format (Cf: zero-width, direction overrides,
/// byte order mark, tags), line and paragraph separators (Zl, Zp), surrogates, private use,
/// noncharacters, the rest of Default_Ignorable_Code_Point (fillers, variation selectors), and every
/// blank but the space itself (Zs, U+2800): they look like it and compare otherwise.
///
/// A rule for issuing, not for parsing: a foreign certificate may carry what ours may not.
[[nodiscard]] std::optional<std::string> invisible_character(std::string_view utf8);

}  // namespace estia::ca
