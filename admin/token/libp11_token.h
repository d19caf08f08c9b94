// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libp11.h>

#include <string>

#include "admin/token/libp11_context.h"
#include "admin/token/token_place.h"
#include "crypto/base/secret.h"

namespace estia::admin {

enum class PinOwner { user, security_officer };

/// A PIN as the C string libp11 wants, wiped afterwards. libp11 wipes its own copy when its slot
/// goes.
class PinText final {
 public:
  explicit PinText(const Secret& pin) : text_(pin.text()) {}
  ~PinText() { cleanse(text_); }
  PinText(const PinText&) = delete;
  PinText& operator=(const PinText&) = delete;
  PinText(PinText&&) = delete;
  PinText& operator=(PinText&&) = delete;
  [[nodiscard]] const char* c_str() const noexcept { return text_.c_str(); }

 private:
  std::string text_;
};

/// One initialised token, through libp11. As Libp11Context: one thread, short-lived, never in
/// estiad, since libp11 waits for ever when a device goes.
class Libp11Token final {
 public:
  /// Throws what Libp11Context throws, Error{token, "token.not_found"} for none, Error{config,
  /// "token.ambiguous"} for two.
  explicit Libp11Token(const TokenPlace& place);

  [[nodiscard]] PKCS11_SLOT& slot() noexcept { return *slot_; }
  [[nodiscard]] unsigned long slot_id() noexcept { return ::PKCS11_get_slotid_from_slot(slot_); }

  [[nodiscard]] std::string serial() const { return unpadded_text(slot_->token->serialnr); }

  /// One attempt, in a session that may write. Throws as fail().
  void login(PinOwner owner, const Secret& pin);
  /// What the module answered to libp11's last call (a CK_RV); 0 where it was not asked.
  [[nodiscard]] static unsigned long last_answer() noexcept;
  /// If the module's last answer was that this PIN is wrong, and it is the one that estiad reads
  /// as user: estiad must not try it by itself (PinMarker).
  void note_if_refused(PinOwner owner, const Secret& pin) noexcept;

  /// Throws the last failure of libp11 as the hsm module would (Error{token, "token...."}, with the
  /// module's code); of a PIN that was refused it tells also what the token's flags say.
  [[noreturn]] void fail(const char* function, PinOwner owner);

 private:
  [[nodiscard]] std::string attempts_left(PinOwner owner);

  Libp11Context context_;
  TokenPlace place_;
  PKCS11_SLOT* slot_ = nullptr;
};

}  // namespace estia::admin
