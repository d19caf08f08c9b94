// SPDX-License-Identifier: Apache-2.0
#include "server/est/channel_binding.h"

#include "crypto/base/error.h"

namespace estia::est {
namespace {

bool has_linking(Challenge challenge, const crypto::Csr& csr) noexcept {
  return (csr.challenge_password().has_value() && challenge == Challenge::binding) ||
         csr.est_identity_linking().has_value();
}

[[noreturn]] void refuse_mismatch(const char* attribute) {
  throw Error(ErrorCode::forbidden, "linking.mismatch",
              std::string("linking of identity and proof of possession failed: ") + attribute +
                  " does not hold this TLS connection's channel binding");
}

void check_value(const std::optional<std::string>& value, ByteView binding, const char* attribute) {
  if (!value) {
    return;
  }
  Bytes given;
  try {
    // White space inside is no part of the value's form (EST-3.5-c); the CSR's parser trimmed it.
    if (value->find_first_of(" \t\r\n") == std::string::npos) {
      given = base64_decode(*value);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::malformed) {
      throw;
    }
  }
  if (given.empty() || !equal_constant_time(given, binding)) {
    refuse_mismatch(attribute);
  }
}

}  // namespace

Challenge challenge_of(const ca::Alias& alias, const ca::Identity& identity) {
  return identity.role() == ca::Role::code &&
                 alias.code_source == ca::CodeSource::challenge_password
             ? Challenge::code
             : Challenge::binding;
}

Error missing_linking() {
  return {ErrorCode::forbidden, "linking.required",
          "linking of identity and proof of possession is required here: put the TLS channel "
          "binding into challengePassword or estIdentityLinking"};
}

Linking check_linking(ca::ChannelBindingPolicy policy, Challenge challenge, const crypto::Csr& csr,
                      const http::PeerInfo& peer) {
  if (policy == ca::ChannelBindingPolicy::off) {
    return Linking::absent;
  }
  if (!has_linking(challenge, csr)) {
    if (policy == ca::ChannelBindingPolicy::required) {
      throw missing_linking();
    }
    return Linking::absent;
  }
  if (!peer.channel_binding || peer.channel_binding->empty()) {
    throw Error(ErrorCode::forbidden, "linking.unavailable",
                "linking of identity and proof of possession cannot be verified on this TLS "
                "connection (TLS 1.2 needs the extended master secret)",
                "no channel binding on " + peer.tls_version);
  }
  if (challenge == Challenge::binding) {
    check_value(csr.challenge_password(), *peer.channel_binding, "challengePassword");
  }
  check_value(csr.est_identity_linking(), *peer.channel_binding, "estIdentityLinking");
  return Linking::verified;
}

bool spends_binding(ca::ChannelBindingPolicy policy, Challenge challenge, const crypto::Csr& csr,
                    const http::PeerInfo& peer) noexcept {
  return policy != ca::ChannelBindingPolicy::off && has_linking(challenge, csr) &&
         peer.tls_version != "TLSv1.2";
}

}  // namespace estia::est
