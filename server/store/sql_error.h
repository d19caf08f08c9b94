// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/error.h"

namespace estia::store {

/// How far a failure of the database reaches.
enum class Reach {
  job,    ///< the statement was refused (a constraint): only the work that asked for it fails
  batch,  ///< no room, no memory or locked: nothing of this batch is kept, the next may succeed
  store,  ///< input/output error or corruption: what is on disk is unknown until it is opened again
};

/// A failure reported by SQLite, as Error{store, "store.full" | "store.busy" | "store.io" |
/// "store.corrupt"} or Error{internal, "store.refused"}. The detail holds SQLite's message and the
/// statement, never a value.
class SqlError final : public Error {
 public:
  /// `extended` is SQLite's extended result code.
  SqlError(int extended, const std::string& detail);
  [[nodiscard]] Reach reach() const noexcept;

 private:
  int extended_;
};

}  // namespace estia::store
