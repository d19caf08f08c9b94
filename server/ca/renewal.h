// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/x509/certificate.h"
#include "crypto/x509/csr.h"
#include "server/ca/end_entity.h"
#include "server/ca/model.h"
#include "server/ca/registry.h"

namespace estia::ca {

/// What a certificate is beside the one before it, for log and audit trail (EST-4.2.2-d).
enum class Kind {
  enrol,  ///< by simpleenroll
  renew,  ///< by simplereenroll, with the key of the certificate that is renewed
  rekey,  ///< likewise, with another key
};
[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

/// Whether subject and alternative names are the same ones (X509-7.1-a, EST-4.2.2-b).
[[nodiscard]] bool same_names(const crypto::Certificate& certificate, const crypto::Csr& csr);

/// What the alias demands of every renewal of `renewed`, which the caller found good: its window
/// and a new key. Throws Error{forbidden, "reenroll.too_early"}, Error{malformed,
/// "reenroll.key_reuse"}.
void check_renewal(const Alias& alias, const crypto::Certificate& renewed, bool keeps_key,
                   Instant now);

/// The certificate of this end entity, of the alias's CA and profile, that is in force at `now` and
/// has the request's names; the one that lasts longest, where several do. One that may be the
/// answer to an earlier copy of this request only if it is the only one; rather one that was
/// superseded within the retry window: the intent's transaction gives the answer that took its
/// place, or refuses. nullopt if there is none.
/// Throws Error{store, ...}.
[[nodiscard]] std::optional<crypto::Certificate> certificate_in_force(const Registry& registry,
                                                                      const Alias& alias,
                                                                      const EndEntity& entity,
                                                                      const crypto::Csr& csr,
                                                                      Instant now);

}  // namespace estia::ca
