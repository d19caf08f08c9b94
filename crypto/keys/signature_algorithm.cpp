// SPDX-License-Identifier: Apache-2.0
#include "crypto/keys/signature_algorithm.h"

#include <map>

#include "crypto/base/der.h"
#include "crypto/base/error.h"
#include "crypto/keys/public_key.h"

namespace estia::crypto {
namespace {

SignatureAlgorithm without_parameters(std::string name, std::string oid, std::string digest) {
  Bytes identifier = der::sequence({der::oid(oid)});
  return {std::move(name), std::move(oid), std::move(digest), std::move(identifier)};
}

/// RFC 4055 5: the parameters of sha256WithRSAEncryption are NULL, not absent.
SignatureAlgorithm rsa_sha256() {
  const std::string oid = "1.2.840.113549.1.1.11";
  return {"sha256WithRSAEncryption", oid, "SHA2-256", der::sequence({der::oid(oid), der::null()})};
}

const std::map<std::string, SignatureAlgorithm, std::less<>>& by_key_spec() {
  static const std::map<std::string, SignatureAlgorithm, std::less<>> table = {
      {"P-256", without_parameters("ecdsa-with-SHA256", "1.2.840.10045.4.3.2", "SHA2-256")},
      {"P-384", without_parameters("ecdsa-with-SHA384", "1.2.840.10045.4.3.3", "SHA2-384")},
      {"P-521", without_parameters("ecdsa-with-SHA512", "1.2.840.10045.4.3.4", "SHA2-512")},
      {"RSA-2048", rsa_sha256()},
      {"RSA-3072", rsa_sha256()},
      {"RSA-4096", rsa_sha256()},
      {"Ed25519", without_parameters("Ed25519", "1.3.101.112", "")},
  };
  return table;
}

}  // namespace

const SignatureAlgorithm& SignatureAlgorithm::for_key(const PublicKey& key) {
  if (key.spec()) {
    if (const auto found = by_key_spec().find(key.spec()->name); found != by_key_spec().end()) {
      return found->second;
    }
  }
  throw Error(ErrorCode::malformed, "key.unsupported", "this kind of key is not supported");
}

}  // namespace estia::crypto
