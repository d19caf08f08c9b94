// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/support/estiad_process.h"
#include "tests/e2e/support/installation.h"

namespace estia::e2e {

/// One answer as curl saw it.
struct Answer {
  int status = 0;       ///< 0: curl failed before an answer
  std::string headers;  ///< as sent, all header blocks of the exchange
  std::string body;
  std::string error;    ///< curl's message
  int connections = 0;  ///< made for the whole command
  /// The value of the last field of that name; empty when absent.
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// A key pair and a request for it, made by openssl.
struct Device {
  std::filesystem::path key;
  std::filesystem::path csr;          ///< DER
  std::filesystem::path certificate;  ///< PEM, once enrolled
};

/// curl and openssl as EST client: nobody here wrote them.
class EstClient final {
 public:
  EstClient(const Installation& installation, const EstiadProcess& server)
      : installation_(installation), server_(server) {}

  /// curl's own arguments, then the operation ("cacerts", "factory/simpleenroll").
  [[nodiscard]] Answer request(const std::string& operation,
                               const std::vector<std::string>& arguments = {}) const;
  /// POST of these bytes as application/pkcs10.
  [[nodiscard]] Answer post(const std::string& operation, const std::string& body,
                            std::vector<std::string> arguments = {}) const;
  /// The RA account's credentials in a file that curl -K reads.
  [[nodiscard]] std::vector<std::string> as_ra() const;
  [[nodiscard]] std::vector<std::string> as_user(const std::string& user,
                                                 const std::string& password) const;
  [[nodiscard]] static std::vector<std::string> as_device(const Device& device);

  [[nodiscard]] Device make_device(const std::string& subject, const std::string& san = {},
                                   const std::string& algorithm = "P-256") const;
  /// One whose CSR asks for this common name alone and has this challengePassword, by openssl's own
  /// configuration file.
  [[nodiscard]] Device make_device_with_challenge(const std::string& common_name,
                                                  const std::string& challenge_password,
                                                  const std::string& algorithm = "P-256") const;
  /// A new CSR of the same device.
  void make_csr(Device& device, const std::string& subject, const std::string& san = {}) const;
  /// simpleenroll as RA; the certificate's file is set. Throws std::runtime_error if refused.
  void enroll(Device& device) const;
  /// The one certificate of a certs-only answer, as PEM in a new file.
  [[nodiscard]] std::filesystem::path save_certificate(const std::string& body) const;
  [[nodiscard]] static std::string csr_base64(const Device& device, std::size_t columns = 0);
  /// `openssl ARGUMENTS...`, which must succeed; its output.
  std::string openssl(const std::vector<std::string>& arguments) const;
  [[nodiscard]] std::filesystem::path new_file(const std::string& suffix) const;

 private:
  const Installation& installation_;
  const EstiadProcess& server_;
};

}  // namespace estia::e2e
