// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "tests/e2e/support/est_client.h"

namespace estia::e2e {

/// A manufacturer's PKI made by openssl alone: a root, an intermediate below it, devices, CRLs.
class VendorPki final {
 public:
  VendorPki(const EstClient& client, const std::string& name);

  struct Ca {
    std::filesystem::path key;
    std::filesystem::path certificate;
    std::filesystem::path database;  ///< of `openssl ca`
  };
  [[nodiscard]] const Ca& root() const { return root_; }
  [[nodiscard]] const Ca& intermediate() const { return intermediate_; }
  /// A device with a certificate of the intermediate (or `issuer`), followed in its file by the
  /// intermediate's, as TLS clients send it. Its CSR has the same subject.
  [[nodiscard]] Device make_device(const std::string& subject,
                                   const std::string& extensions = {}) const;
  [[nodiscard]] Device make_device_of(const Ca& issuer, const std::string& subject,
                                      const std::string& extensions = {}) const;
  /// The same device, with a file that holds its own certificate alone.
  [[nodiscard]] Device without_chain(const Device& device) const;
  void revoke(const Ca& issuer, const std::filesystem::path& certificate) const;
  /// A CRL of this CA, valid for so many seconds from now.
  [[nodiscard]] std::filesystem::path make_crl(const Ca& issuer, int seconds = 3600) const;

 private:
  [[nodiscard]] Ca make_ca(const std::string& subject, const Ca* issuer) const;
  void sign(const Ca& issuer, const std::filesystem::path& request, const std::string& extensions,
            const std::filesystem::path& certificate) const;
  [[nodiscard]] std::filesystem::path ca_configuration(const Ca& issuer) const;

  const EstClient& client_;
  Ca root_;
  Ca intermediate_;
};

}  // namespace estia::e2e
