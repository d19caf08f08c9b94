// SPDX-License-Identifier: Apache-2.0
#include "admin/token/token_admin.h"

#include <algorithm>
#include <array>

#include "admin/token/libp11_token.h"
#include "admin/token/pin_input.h"
#include "crypto/base/error.h"

namespace estia::admin {
namespace {

constexpr std::size_t kLabelBytes = 32;  // CK_TOKEN_INFO.label

TokenSummary summary_of(const PKCS11_TOKEN& token) {
  return {.label = unpadded_text(token.label),
          .serial = unpadded_text(token.serialnr),
          .manufacturer = unpadded_text(token.manufacturer),
          .model = unpadded_text(token.model),
          .initialised = token.initialized != 0,
          .user_pin_set = token.userPinSet != 0};
}

void check_label(const std::string& label) {
  const bool printable =
      std::ranges::none_of(label, [](unsigned char c) { return c < ' ' || c == 0x7F; });
  if (label.empty() || label.size() > kLabelBytes || !printable || label.starts_with(' ') ||
      label.ends_with(' ')) {
    throw Error(ErrorCode::config, "token.label",
                "a token's label is 1 to 32 bytes without control characters or outer spaces");
  }
}

void check_pins(const Secret& so_pin, const Secret& user_pin) {
  check_pin(so_pin);
  check_pin(user_pin);
  must_differ(so_pin, user_pin, "the security officer's PIN and the user's PIN must differ");
}

/// A free slot, or that of the token to be erased, once it is certain that no other token has the
/// label.
PKCS11_SLOT& slot_for(Libp11Context& context, const std::string& label,
                      const std::string& erased_serial) {
  PKCS11_SLOT* free = nullptr;
  for (PKCS11_SLOT& slot : context.slots()) {
    if (slot.token == nullptr) {
      continue;
    }
    if (!erased_serial.empty() && slot.token->initialized != 0 &&
        unpadded_text(slot.token->serialnr) == erased_serial) {
      free = &slot;
    } else if (slot.token->initialized == 0) {
      free = free == nullptr && erased_serial.empty() ? &slot : free;
    } else if (unpadded_text(slot.token->label) == label) {
      throw Error(ErrorCode::conflict, "token.label_taken",
                  "a token labelled '" + label + "' exists already");
    }
  }
  if (free == nullptr && !erased_serial.empty()) {
    throw Error(ErrorCode::token, "token.not_found",
                "the module shows no initialised token with serial " + erased_serial);
  }
  if (free == nullptr) {
    throw Error(ErrorCode::conflict, "token.none_free",
                "every token of this module is initialised; none is free");
  }
  return *free;
}

void set_user_pin(PKCS11_SLOT& slot, const Secret& so_pin, const Secret& user_pin) {
  const PinText so(so_pin);
  const PinText user(user_pin);
  if (::PKCS11_open_session(&slot, 1) != 0 || ::PKCS11_login(&slot, 1, so.c_str()) != 0 ||
      ::PKCS11_init_pin(slot.token, user.c_str()) != 0) {
    throw Error(ErrorCode::token, "token.init_pin",
                "the token was initialised, but its user PIN could not be set: " + libp11_reason());
  }
  if (::PKCS11_logout(&slot) != 0) {
    throw Error(ErrorCode::token, "token.init_pin",
                "the token's security officer could not be logged out: " + libp11_reason());
  }
}

}  // namespace

std::vector<TokenSummary> list_tokens(const std::filesystem::path& module,
                                      const std::string& init_args) {
  Libp11Context context(module, init_args);
  std::vector<TokenSummary> tokens;
  for (const PKCS11_SLOT& slot : context.slots()) {
    if (slot.token != nullptr) {
      tokens.push_back(summary_of(*slot.token));
    }
  }
  return tokens;
}

TokenSummary initialise_token(const std::filesystem::path& module, const std::string& init_args,
                              const std::string& label, const Secret& so_pin,
                              const Secret& user_pin, const std::string& erased_serial) {
  check_label(label);
  check_pins(so_pin, user_pin);
  {
    Libp11Context context(module, init_args);
    PKCS11_SLOT& slot = slot_for(context, label, erased_serial);
    // C_InitToken reads exactly 32 bytes, padded with spaces, and libp11 hands our pointer through.
    std::array<char, kLabelBytes + 1> padded{};
    std::fill_n(padded.begin(), kLabelBytes, ' ');
    std::ranges::copy(label, padded.begin());
    const PinText so(so_pin);
    if (::PKCS11_init_token(slot.token, so.c_str(), padded.data()) != 0) {
      throw Error(ErrorCode::token, "token.init",
                  "the token could not be initialised: " + libp11_reason());
    }
    set_user_pin(slot, so_pin, user_pin);
  }
  // Seen by a fresh look, as the daemon will: some modules number their slots anew.
  for (TokenSummary& token : list_tokens(module, init_args)) {
    if (token.initialised && token.label == label) {
      return token;
    }
  }
  throw Error(ErrorCode::token, "token.init",
              "the token was initialised, but the module does not show it");
}

}  // namespace estia::admin
