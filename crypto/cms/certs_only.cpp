// SPDX-License-Identifier: Apache-2.0
#include "crypto/cms/certs_only.h"

#include "crypto/base/der.h"
#include "crypto/base/error.h"

namespace estia::crypto {

Bytes certs_only(std::vector<Bytes> certificates) {
  if (certificates.empty()) {
    throw Error(ErrorCode::internal, "cms.no_certificates", "internal error");
  }
  Bytes set = der::set_of(std::move(certificates));
  set.front() = 0xA0;  // certificates [0] IMPLICIT
  // RFC 5652 5.1: SignedData { version 1, digestAlgorithms {}, encapContentInfo { id-data },
  // certificates, signerInfos {} }
  const Bytes signed_data =
      der::sequence({der::small_integer(1), der::set_of({}),
                     der::sequence({der::oid("1.2.840.113549.1.7.1")}), set, der::set_of({})});
  return der::sequence({der::oid("1.2.840.113549.1.7.2"), der::tlv(0xA0, signed_data)});
}

Bytes certs_only(const std::vector<Certificate>& certificates) {
  std::vector<Bytes> encoded;
  encoded.reserve(certificates.size());
  for (const Certificate& certificate : certificates) {
    encoded.push_back(certificate.der());
  }
  return certs_only(std::move(encoded));
}

}  // namespace estia::crypto
