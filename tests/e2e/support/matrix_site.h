// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/http/server.h"
#include "tests/e2e/support/managed_site.h"
#include "tests/e2e/support/management_socket.h"
#include "tests/e2e/support/matrix_aliases.h"
#include "tests/e2e/support/vendor_pki.h"
#include "tests/support/tls_client.h"

namespace estia::e2e {

/// Names as a request asks for them.
struct MatrixNames {
  std::string subject;
  std::vector<std::string> san{};
};

/// What one request presents.
struct MatrixCredential {
  const http::TlsIdentity* identity = nullptr;
  std::string authorization{};  ///< the field's value
  std::string user{};           ///< of a well-formed one, as `estia explain` takes it
  std::string password{};
  std::string code{};  ///< in the request, where the alias looks for it
  MatrixNames own;     ///< the names that it stands for
};

/// An estiad with every kind of alias of the authorisation matrix, and all that may be presented to
/// them: certificates, accounts, codes. Everything is enrolled, revoked and registered for real.
class MatrixSite : public ManagedSite {
 protected:
  MatrixSite();

  /// `fresh`: nobody has used it before (a vendor's certificate opens its door once).
  MatrixCredential present(const MatrixAlias& alias, const std::string& name, bool fresh);
  /// Somebody else's names, inside every scope; of a registered end entity in client mode.
  MatrixNames others(const MatrixAlias& alias);
  std::string new_name(const std::string& prefix) { return prefix + std::to_string(++names_); }
  /// "CN=NAME", registered with this username.
  MatrixNames register_entity(const std::string& name, const std::string& ca);
  test::HttpAnswer exchange(const http::TlsIdentity* identity, const std::string& bytes);
  /// How many requests were sent by it.
  [[nodiscard]] int exchanges() const { return exchanges_; }
  /// How many certificates were issued only to use up a code.
  [[nodiscard]] int spent_codes() const { return spent_codes_; }
  /// The one certificate of an answer.
  [[nodiscard]] static crypto::Certificate issued(const test::HttpAnswer& answer);

  std::unique_ptr<ManagementSocket> management;

 private:
  const http::TlsIdentity& enroll(const std::string& ca, const std::string& kind,
                                  const std::string& profile);
  void revoke(const http::TlsIdentity& identity, const std::string& how);
  void make_certificates(const std::string& ca);
  void make_foreign();
  [[nodiscard]] static http::TlsIdentity identity_of(const Device& device);
  void add_header(MatrixCredential& credential, const MatrixAlias& alias, const std::string& name);
  void add_code(MatrixCredential& credential, const MatrixAlias& alias, const std::string& name);
  void add_certificate(MatrixCredential& credential, const MatrixAlias& alias,
                       const std::string& name, bool fresh);
  void spend(const MatrixAlias& alias, const MatrixCredential& credential);
  std::string new_code(const std::string& username);

  std::unique_ptr<VendorPki> acme_;
  std::unique_ptr<VendorPki> foreign_;
  /// By CA ("" for what no CA of ours made) and name.
  std::map<std::pair<std::string, std::string>, http::TlsIdentity> identities_;
  std::vector<std::unique_ptr<http::TlsIdentity>> fresh_;
  int names_ = 0;
  int exchanges_ = 0;
  int spent_codes_ = 0;
};

/// The bytes of a request's CSR for these names with a key of its own, the code where the alias
/// wants it.
struct MatrixRequest {
  Bytes csr;
  crypto::PublicKey key;
};
[[nodiscard]] MatrixRequest make_request(const MatrixAlias& alias,
                                         const MatrixCredential& credential,
                                         const MatrixNames& names);

}  // namespace estia::e2e
