// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "crypto/base/error.h"
#include "server/ca/decrypt_keys.h"

namespace estia::test {

/// For tests in which nobody registers any.
class NoDecryptKeys final : public ca::DecryptKeyStore {
 public:
  [[nodiscard]] std::optional<ca::DecryptKey> find(const ca::DecryptKeyName&) const override {
    return std::nullopt;
  }
  [[nodiscard]] std::vector<ca::DecryptKey> list(const ca::DecryptKeyOwner&, std::int64_t,
                                                 std::size_t) const override {
    return {};
  }
  void add(const ca::DecryptKey&, const ca::AuditEvent&) override { refuse(); }
  void remove(const ca::DecryptKeyName&, const ca::AuditEvent&) override { refuse(); }

 private:
  [[noreturn]] static void refuse() {
    throw Error(ErrorCode::internal, "test.decrypt_keys", "no decrypt key in this test");
  }
};

/// Not for what is about sealing: tests/token has hsm::SealingKey. Here the owner stands before the
/// secret, whose bits are inverted.
class OpenSealer final : public ca::SecretSealer {
 public:
  [[nodiscard]] Bytes seal(ByteView secret, ByteView bound_to) override {
    ++sealed;
    Bytes made(bound_to.begin(), bound_to.end());
    std::ranges::transform(secret, std::back_inserter(made),
                           [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
    return made;
  }
  [[nodiscard]] SecureBytes open(ByteView value, ByteView bound_to) override {
    if (value.size() <= bound_to.size() ||
        !std::ranges::equal(value.first(bound_to.size()), bound_to)) {
      throw Error(ErrorCode::store, "sealing.broken", "another owner's");
    }
    SecureBytes secret(value.size() - bound_to.size());
    std::ranges::transform(value.subspan(bound_to.size()), secret.span().begin(),
                           [](std::uint8_t byte) { return static_cast<std::uint8_t>(~byte); });
    return secret;
  }

  int sealed = 0;  ///< calls of seal()
};

}  // namespace estia::test
