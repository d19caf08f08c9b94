// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace estia::crypto {

/// A kind of key as operators write it: "P-256", "P-384", "P-521", "RSA-2048", "RSA-3072",
/// "RSA-4096", "Ed25519". Algorithms are identified by OID (D17): this is a row of a table, not an
/// enumeration.
struct KeySpec {
  std::string name;  ///< as above
  std::string
      algorithm_oid;  ///< of the SubjectPublicKeyInfo: id-ecPublicKey, rsaEncryption, id-Ed25519
  std::string curve_oid;  ///< named curve for EC, else empty
  unsigned bits = 0;      ///< modulus bits for RSA, field bits for EC, 256 for Ed25519

  /// Throws Error{config, "key_spec.unknown"} that lists the known names.
  [[nodiscard]] static KeySpec parse(std::string_view name);
  [[nodiscard]] static const std::vector<KeySpec>& known();
  bool operator==(const KeySpec&) const = default;
};

}  // namespace estia::crypto
