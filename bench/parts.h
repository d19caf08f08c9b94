// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/x509/certificate.h"
#include "hsm/token.h"
#include "server/http/server.h"

namespace estia::bench {

/// The work that no enrolment can do without, each measured alone through the modules that estiad
/// is made of. Microseconds of CPU for one enrolment.
struct Parts {
  double handshake = 0;         ///< server's side of TLS 1.3, without a client certificate
  double mutual_handshake = 0;  ///< with one
  double csr = 0;               ///< Csr::parse, and verify_signature unless a key is made here
  double key = 0;               ///< a pair made and wrapped in the token; 0 unless it is made here
  double sign = 0;              ///< PrivateKey::sign with the key in the token
  double verify = 0;            ///< PublicKey::verify of that signature
};

/// The server's end alone is counted: both ends of the connection are in this thread, over memory.
/// `client` may be null.
[[nodiscard]] double measure_handshake(const http::TlsIdentity& server,
                                       const http::TlsIdentity* client, std::size_t count);

/// `csrs` are DER; each is looked at once per round.
[[nodiscard]] double measure_csr(const std::vector<Bytes>& csrs);
/// Without the signature, which is nobody's business where the key is made here.
[[nodiscard]] double measure_parse(const std::vector<Bytes>& csrs);

/// Sets Parts::sign and Parts::verify, with a new key of the issuing CA's kind in the same token,
/// whose login ends before this returns.
void measure_signature(const hsm::TokenConfig& token, const crypto::Certificate& issuing,
                       std::size_t count, Parts& parts);

/// Intent, result and both audit events of a certificate in a new store.
struct StoreSpeed {
  double cpu_us = 0;      ///< of this process, for one certificate
  double per_second = 0;  ///< certificates; bounded by how fast the disk syncs
  double syncs = 0;       ///< for one certificate
};
/// `writers` threads record `count` certificates together; the store is a new file in `folder`.
[[nodiscard]] StoreSpeed measure_store(const std::filesystem::path& folder, std::size_t writers,
                                       std::size_t count, const Bytes& tbs);

}  // namespace estia::bench
