// SPDX-License-Identifier: Apache-2.0
#include "admin/token/pin_file_change.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
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

[[noreturn]] void unwritable(const std::filesystem::path& path, int error) {
  throw Error(ErrorCode::store, "file.unwritable",
              path.string() + ": " + std::generic_category().message(error));
}

/// The rename is on disk when this returns.
void sync_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    unwritable(folder, errno);
  }
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0) {
    unwritable(folder, error);
  }
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
  if (::rename(next_.c_str(), file_.c_str()) != 0) {
    unwritable(file_, errno);
  }
  sync_folder_of(file_);
}

void PinFileChange::discard() {
  std::error_code error;
  if (!std::filesystem::remove(next_, error) && error) {
    throw Error(ErrorCode::store, "file.unwritable", next_.string() + ": " + error.message());
  }
}

}  // namespace estia::admin
