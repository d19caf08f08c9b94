// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/keys/key_spec.h"
#include "crypto/keys/private_key.h"

namespace estia::provision {

/// Where CA keys are made: a token, through hsm. One thread.
class KeyCeremony {
 public:
  virtual ~KeyCeremony() = default;
  /// A new key pair that never leaves the token, known there as `label`. Throws Error{conflict} if
  /// that label is taken, Error{token, ...}.
  [[nodiscard]] virtual crypto::PrivateKey make(const crypto::KeySpec& spec,
                                                const std::string& label) = 0;
  /// How the configuration names it (RFC 7512).
  [[nodiscard]] virtual std::string uri(const std::string& label) = 0;
  /// Undoes make(). Must not throw: it runs while something else failed already.
  virtual void destroy(const std::string& label) noexcept = 0;
};

/// The keys of a CA in the making: destroyed again, newest first, unless all went well.
class KeysInTheMaking final {
 public:
  explicit KeysInTheMaking(KeyCeremony& ceremony) : ceremony_(ceremony) {}
  ~KeysInTheMaking();
  KeysInTheMaking(const KeysInTheMaking&) = delete;
  KeysInTheMaking& operator=(const KeysInTheMaking&) = delete;
  KeysInTheMaking(KeysInTheMaking&&) = delete;
  KeysInTheMaking& operator=(KeysInTheMaking&&) = delete;

  [[nodiscard]] crypto::PrivateKey make(const crypto::KeySpec& spec, const std::string& label);
  [[nodiscard]] std::string uri(const std::string& label) { return ceremony_.uri(label); }
  /// From here on they stay.
  void keep() noexcept { labels_.clear(); }

 private:
  KeyCeremony& ceremony_;
  std::vector<std::string> labels_;
};

}  // namespace estia::provision
