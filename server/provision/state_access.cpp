// SPDX-License-Identifier: Apache-2.0
#include "server/provision/state_access.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "crypto/base/error.h"

namespace estia::provision {
namespace {

constexpr mode_t kAnythingForOthers = S_IRWXG | S_IRWXO;
constexpr mode_t kWritableForOthers = S_IWGRP | S_IWOTH;

/// "0755"
std::string octal(mode_t mode) {
  std::string text;
  for (unsigned shift = 12; shift > 0; shift -= 3) {
    text += static_cast<char>('0' + ((mode >> (shift - 3)) & 07U));
  }
  return text;
}

std::optional<struct stat> status_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    return status;
  }
  if (errno == ENOENT) {
    return std::nullopt;
  }
  throw Error(ErrorCode::store, "state.io",
              path.string() + ": " + std::generic_category().message(errno));
}

void check(const std::filesystem::path& path, const struct stat& status, mode_t forbidden,
           const char* why, const char* remedy) {
  if ((status.st_mode & forbidden) != 0) {
    throw Error(ErrorCode::config, "state.mode",
                path.string() + ": mode " + octal(status.st_mode) + " " + why + "; chmod " +
                    remedy + " " + path.string());
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    throw Error(ErrorCode::config, "state.owner",
                path.string() + ": belongs to uid " + std::to_string(status.st_uid) +
                    ", this program runs as uid " + std::to_string(::geteuid()) +
                    "; run it as the owner, or chown " + path.string());
  }
}

}  // namespace

void check_state_access(const StateLayout& layout) {
  const auto directory = status_of(layout.directory());
  if (!directory) {
    throw Error(ErrorCode::config, "state.missing",
                layout.directory().string() + ": no such directory; make it with estia init");
  }
  if (!S_ISDIR(directory->st_mode)) {
    throw Error(ErrorCode::config, "state.kind",
                layout.directory().string() + ": not a directory; name the one estia init made");
  }
  check(layout.directory(), *directory, kAnythingForOthers, "lets group or others in", "700");
  // Where it is missing, whoever reads it says so.
  if (const auto file = status_of(layout.configuration())) {
    check(layout.configuration(), *file, kWritableForOthers, "lets group or others write it",
          "600");
  }
}

}  // namespace estia::provision
