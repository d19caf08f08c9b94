// SPDX-License-Identifier: Apache-2.0
#include "server/app/token_reports.h"

#include <string>

namespace estia::app {
namespace {

/// For people. Empty: none is.
std::string text_of(const crypto::TokenEncryption& encryption) {
  std::string text;
  if (!encryption.possible()) {
    return text;
  }
  for (const crypto::TokenCipher cipher : encryption.ciphers) {
    text += cipher == crypto::TokenCipher::aes256_cbc ? "AES-256-CBC, " : "AES-256-WRAP-PAD, ";
  }
  text += "RSAES-OAEP with";
  for (const std::string& digest : encryption.oaep_digests) {
    text += " " + digest;
  }
  return text;
}

const char* name_of(hsm::TokenState state) {
  switch (state) {
    case hsm::TokenState::attached:
      return "attached";
    case hsm::TokenState::recovering:
      return "recovering";
    case hsm::TokenState::pin_refused:
      return "PIN refused";
    case hsm::TokenState::away:
      break;
  }
  return "away";
}

}  // namespace

api::TokenStatus report_of(const std::optional<hsm::TokenStatus>& seen) {
  if (!seen) {
    return {.state = "does not answer"};
  }
  return {.state = name_of(seen->state),
          .why = seen->why,
          .label = seen->label,
          .serial = seen->serial,
          .sessions_open = seen->sessions_open,
          .sessions_in_use = seen->sessions_in_use,
          .sessions_cap = seen->sessions_cap,
          .new_sessions = seen->new_sessions,
          .logins = seen->logins,
          .restarts = seen->restarts};
}

api::ServerKeygenStatus report_of(const hsm::ServerKeysStatus& keys) {
  return {.mechanism = keys.mechanism,
          .wrapping_key = keys.wrapping_key,
          .hsm_wrapped = text_of(keys.encryption),
          .ed25519 = keys.ed25519,
          .refused = keys.refused,
          .running = keys.running,
          .stock = keys.stock,
          .stock_failure = keys.stock_failure,
          .delivered = keys.delivered,
          .destroyed = keys.destroyed};
}

}  // namespace estia::app
