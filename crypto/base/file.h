// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/secret.h"

namespace estia {

/// Who may read a file that we write.
enum class FileMode { secret /* 0600 */, readable /* 0644 */ };

/// The whole file. Throws Error{config, "file.unreadable"} naming the path; files over `limit`
/// bytes are refused ("file.too_large").
[[nodiscard]] std::string read_file(const std::filesystem::path& path,
                                    std::size_t limit = 16U << 20U);

/// One secret from a file: one trailing LF or CRLF removed. Refuses a file that group or others can
/// read or write, one that is not regular, one owned by somebody else than root or us, an empty
/// one, and one with a NUL ("file.secret_mode", "file.secret_empty", ...).
[[nodiscard]] Secret read_secret_file(const std::filesystem::path& path);

/// The same for a credential that the service manager hands over (systemd's LoadCredential=): its
/// access list may show as readable by the group.
[[nodiscard]] Secret read_credential_file(const std::filesystem::path& path);

/// Creates the file (O_EXCL: never overwrites, Error{conflict, "file.exists"}), writes, fsyncs the
/// file and its folder.
void write_new_file(const std::filesystem::path& path, std::string_view contents, FileMode mode);

/// Puts `from` in the place of `to`, in one step that is on disk when it returns. Throws
/// Error{store, "file.unwritable"}.
void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Replaces the file in one step (temporary file beside it, fsync, rename, fsync of the folder).
void replace_file(const std::filesystem::path& path, std::string_view contents, FileMode mode);

}  // namespace estia
