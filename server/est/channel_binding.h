// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/error.h"
#include "crypto/x509/csr.h"
#include "server/ca/identity.h"
#include "server/ca/model.h"
#include "server/http/peer.h"

namespace estia::est {

enum class Linking { absent, verified };

/// What a challengePassword holds: the channel binding (EST-3.5-d), or the enrolment code that just
/// proved who asks.
enum class Challenge { binding, code };

/// Only the code that proved who asks is none of the binding's business: whoever comes with a
/// certificate put nothing else there (EST-3.5-a).
[[nodiscard]] Challenge challenge_of(const ca::Alias& alias, const ca::Identity& identity);

/// "linking.required".
[[nodiscard]] Error missing_linking();

/// Links the identity to the proof of possession (EST-3.5-a): challengePassword and
/// estIdentityLinking hold the base64 of this TLS connection's binding (tls-unique in TLS 1.2,
/// tls-exporter in TLS 1.3: TLSX-9266-c). Each one present is checked by itself and all must hold
/// (CHAL-4-b). With `off` nothing is looked at.
///
/// Throws Error{forbidden, ...}: "linking.mismatch" for a wrong value, "linking.unavailable" where
/// this connection has no binding to compare with, "linking.required" when the policy asks for one
/// and there is none.
[[nodiscard]] Linking check_linking(ca::ChannelBindingPolicy policy, Challenge challenge,
                                    const crypto::Csr& csr, const http::PeerInfo& peer);

/// Whether this request uses the connection's binding up: a tls-exporter value serves one
/// authentication only, so that the connection must close after it (TLSX-9266-d).
[[nodiscard]] bool spends_binding(ca::ChannelBindingPolicy policy, Challenge challenge,
                                  const crypto::Csr& csr, const http::PeerInfo& peer) noexcept;

}  // namespace estia::est
