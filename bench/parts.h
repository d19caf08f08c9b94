// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/keys/private_key.h"
#include "server/http/server.h"

namespace estia::bench {

/// The work that no enrolment can do without, each measured alone through the modules that estiad
/// is made of. Microseconds of CPU for one enrolment.
struct Parts {
  double handshake = 0;         ///< server's side of TLS 1.3, without a client certificate
  double mutual_handshake = 0;  ///< with one
  double csr = 0;               ///< Csr::parse and verify_signature
  double sign = 0;              ///< PrivateKey::sign with the key in the token
  double verify = 0;            ///< PublicKey::verify of that signature
};

/// The server's end alone is counted: both ends of the connection are in this thread, over memory.
/// `client` may be null.
[[nodiscard]] double measure_handshake(const http::TlsIdentity& server,
                                       const http::TlsIdentity* client, std::size_t count);

/// `csrs` are DER; each is looked at once per round.
[[nodiscard]] double measure_csr(const std::vector<Bytes>& csrs);

[[nodiscard]] double measure_sign(const crypto::PrivateKey& token_key, ByteView tbs,
                                  std::size_t count);
[[nodiscard]] double measure_verify(const crypto::PrivateKey& token_key, ByteView tbs,
                                    std::size_t count);

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
