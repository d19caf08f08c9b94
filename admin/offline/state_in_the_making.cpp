// SPDX-License-Identifier: Apache-2.0
#include "admin/offline/state_in_the_making.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "crypto/base/error.h"

namespace estia::admin {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, int error) {
  throw Error(ErrorCode::store, "state.io",
              path.string() + ": " + std::generic_category().message(error));
}

void refuse_contents(const provision::StateLayout& layout, bool lock_may_be_there) {
  for (const fs::directory_entry& entry : fs::directory_iterator(layout.directory())) {
    if (!lock_may_be_there || entry.path() != layout.lock()) {
      throw Error(ErrorCode::conflict, "state.exists",
                  layout.directory().string() + " is not empty; estia init never overwrites");
    }
  }
}

}  // namespace

StateInTheMaking::StateInTheMaking(const provision::StateLayout& layout) : layout_(layout) {
  const fs::path& directory = layout_.directory();
  directory_is_ours_ = ::mkdir(directory.c_str(), S_IRWXU) == 0;
  if (!directory_is_ours_) {
    if (errno != EEXIST || !fs::is_directory(directory)) {
      fail(directory, errno);
    }
    refuse_contents(layout_, false);
  }
  lock_.emplace(layout_);
  // Another init may have been faster between the look and the lock.
  refuse_contents(layout_, true);
  if (::chmod(directory.c_str(), S_IRWXU) != 0) {
    fail(directory, errno);
  }
}

StateInTheMaking::~StateInTheMaking() {
  if (kept_) {
    return;
  }
  // The lock's file goes while we hold it: nobody can have got it meanwhile.
  std::error_code ignored;
  if (directory_is_ours_) {
    fs::remove_all(layout_.directory(), ignored);
    return;
  }
  std::vector<fs::path> made;
  for (const fs::directory_entry& entry : fs::directory_iterator(layout_.directory(), ignored)) {
    made.push_back(entry.path());
  }
  for (const fs::path& path : made) {
    fs::remove_all(path, ignored);
  }
}

}  // namespace estia::admin
