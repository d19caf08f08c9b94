// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/secret.h"

namespace estia {

/// The terminal of this process, for questions whose answers are not shown. It is as it was again
/// when the question is answered, also by a signal: those that stop wait meanwhile, and Ctrl-C is
/// an answer. One thread.
class SecretPrompt final {
 public:
  SecretPrompt() noexcept;
  ~SecretPrompt();
  SecretPrompt(const SecretPrompt&) = delete;
  SecretPrompt& operator=(const SecretPrompt&) = delete;
  SecretPrompt(SecretPrompt&&) = delete;
  SecretPrompt& operator=(SecretPrompt&&) = delete;

  /// Whether there is a terminal.
  [[nodiscard]] bool possible() const noexcept { return terminal_ >= 0; }
  /// "QUESTION: ", and one line; only where possible(). Throws Error{conflict, "cli.declined"} for
  /// Ctrl-C, Ctrl-D or a terminal that closes, Error{config, "token.pin"} for more than 255 bytes
  /// or a NUL.
  [[nodiscard]] Secret ask(const std::string& question);

 private:
  int terminal_ = -1;
};

}  // namespace estia
