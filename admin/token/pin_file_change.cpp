// SPDX-License-Identifier: Apache-2.0
#include "admin/token/pin_file_change.h"

#include <string>
#include <system_error>

#include "crypto/base/error.h"
#include "crypto/base/file.h"

namespace estia::admin {
namespace {

/// A rename would put the file in the link's place, not in that of what it names.
std::filesystem::path real_path(const std::filesystem::path& file) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(file, error);
  if (error) {
    throw Error(ErrorCode::config, "file.unreadable", file.string() + ": " + error.message());
  }
  return real;
}

}  // namespace

PinFileChange::PinFileChange(const std::filesystem::path& pin_file)
    : file_(real_path(pin_file)), next_(file_.string() + ".next") {}

void PinFileChange::prepare(const Secret& new_pin) {
  std::string line;
  line.reserve(new_pin.size() + 1);  // so that it is not moved, and left behind
  line.append(new_pin.text()).push_back('\n');
  try {
    write_new_file(next_, line, FileMode::secret);
  } catch (const Error& error) {
    cleanse(line);
    if (error.id() != "file.exists") {
      throw;
    }
    throw Error(ErrorCode::conflict, "token.pin_unfinished",
                "an earlier change of the PIN did not end: " + next_.string() +
                    " is there; estia token pin resume goes on with it");
  }
  cleanse(line);
}

std::optional<Secret> PinFileChange::prepared() const {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(next_, ignored))) {
    return std::nullopt;
  }
  return read_secret_file(next_);
}

void PinFileChange::commit() {
  rename_file(next_, file_);
}

void PinFileChange::discard() {
  std::error_code error;
  if (!std::filesystem::remove(next_, error) && error) {
    throw Error(ErrorCode::store, "file.unwritable", next_.string() + ": " + error.message());
  }
}

}  // namespace estia::admin
