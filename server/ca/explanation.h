// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/error.h"
#include "crypto/x509/certificate.h"

namespace estia::ca {

/// A request that nobody makes: what an operator asks about. That the client has the certificate's
/// key is taken for granted; a password or code is checked like any other.
struct Question {
  std::string alias{};      ///< "est" for the path without a label
  std::string operation{};  ///< "simpleenroll", "simplereenroll", "serverkeygen"
  std::string body{};       ///< as the client would send it: base64 or PEM of the CSR
  std::vector<crypto::Certificate> chain{};    ///< as TLS would bring it, leaf first; may be empty
  std::optional<std::string> authorization{};  ///< the field's value; a secret
  std::optional<std::string> accept{};         ///< the field's value
};

/// What would become of it, in the order in which it is decided: what comes after a refusal is
/// empty, but for username and CA, which then say whom the request is about.
struct Explanation {
  std::uint64_t config_version = 0;
  std::string mode{};
  std::string role{};  ///< self, ra, code, vendor
  std::string who{};   ///< as in log and audit
  /// Whether the CSR holds a channel binding, which only its connection could verify.
  bool binding_unchecked = false;
  std::string kind{};  ///< enrol, renew, rekey
  std::string username{};
  bool creates_entity = false;
  std::string ca{};
  std::string end_entity_profile{};
  std::string certificate_profile{};
  std::string subject{};
  std::vector<std::string> san{};
  std::string repeats{};           ///< serial of the certificate that a repetition would get again
  std::string key_delivery{};      ///< serverkeygen: how the private key would leave
  std::optional<Error> refusal{};  ///< absent: it would be issued
};

}  // namespace estia::ca
