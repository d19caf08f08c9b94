// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/keys/private_key.h"
#include "crypto/x509/csr.h"
#include "server/ca/model.h"

namespace estia::test {

/// A PKCS #10 request made with OpenSSL's own functions (not ours), for tests. `sans` as
/// "dns:host".
[[nodiscard]] Bytes make_csr_der(const crypto::PrivateKey& key, const std::string& subject,
                                 const std::vector<std::string>& sans = {},
                                 const std::string& challenge_password = {},
                                 const std::vector<crypto::Extension>& extensions = {});

/// A self-signed CA certificate over a software key: only for tests of what lies above the token.
struct SoftwareCa {
  crypto::PrivateKey key;
  ca::CertificationAuthority ca;
};
[[nodiscard]] SoftwareCa make_software_ca(const std::string& name = "issuing");
/// The same below another one.
[[nodiscard]] SoftwareCa make_software_ca_below(const SoftwareCa& issuer, const std::string& name);

/// An end-entity profile and a certificate profile as `estia init` writes them.
[[nodiscard]] ca::EndEntityProfile device_names();
[[nodiscard]] ca::CertificateProfile device_profile();

}  // namespace estia::test
