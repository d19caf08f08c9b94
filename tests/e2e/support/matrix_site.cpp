// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/matrix_site.h"

#include <openssl/cms.h>

#include <stdexcept>
#include <thread>

#include "crypto/base/file.h"
#include "crypto/openssl/library.h"
#include "crypto/openssl/require.h"
#include "tests/support/certificates.h"
#include "tests/support/est_request.h"

namespace estia::e2e {
namespace {

constexpr const char* kPassword = "fSkG9Qm2Zr7wXc4VbN8tLp3Y";
constexpr const char* kPasswordFile = "line.password";
constexpr int kManyUses = 1000;
constexpr std::size_t kLargest = 1U << 20U;

crypto::PrivateKey new_key() {
  return crypto::PrivateKey::generate_software(crypto::KeySpec::parse("P-256"));
}

MatrixNames names_of(const crypto::Certificate& certificate) {
  MatrixNames names{.subject = certificate.subject().text()};
  const crypto::GeneralNames san = certificate.subject_alt_names();
  for (const crypto::GeneralName& name : san.names()) {
    names.san.push_back(std::string(crypto::to_string(name.kind)) + ":" + name.text);
  }
  return names;
}

void use_account(MatrixCredential& credential, const std::string& user,
                 const std::string& password) {
  credential.user = user;
  credential.password = password;
  credential.authorization = test::basic_authorization(user + ":" + password);
}

}  // namespace

MatrixSite::MatrixSite() {
  write_new_file(installation.directory() / kPasswordFile, std::string(kPassword) + "\n",
                 FileMode::secret);
  EXPECT_TRUE(add_configuration(makers_document(kPasswordFile)));
  management = std::make_unique<ManagementSocket>(state() + "/management/socket");
  make_foreign();
  make_certificates("issuing");
  make_certificates("root");
  const auto listed = [&](const std::string& ca) {
    return to_hex(identities_.at({ca, "ra-listed"}).chain.front().fingerprint_sha256());
  };
  management->post_ok("/anchors",
                      {{"name", "acme"},
                       {"certificate", read_file(acme_->intermediate().certificate, kLargest)},
                       {"revocation", "none"},
                       {"vendor_of", nlohmann::json::array()},
                       {"explicit_of", nlohmann::json::array()}});
  EXPECT_TRUE(
      add_configuration(aliases_document(kPasswordFile, listed("issuing"), listed("root"))));
  for (const char* ca : {"issuing", "root"}) {
    while (identities_.at({ca, "device-expired"}).chain.front().not_after() >=
           std::chrono::system_clock::now()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

http::TlsIdentity MatrixSite::identity_of(const Device& device) {
  return {crypto::PrivateKey::from_pem(Secret(read_file(device.key))),
          crypto::Certificate::parse_pem(read_file(device.certificate, kLargest))};
}

void MatrixSite::make_foreign() {
  acme_ = std::make_unique<VendorPki>(*client, "Acme");
  foreign_ = std::make_unique<VendorPki>(*client, "Foreign");
  const auto keep = [&](const std::string& name, const Device& device) {
    identities_.emplace(std::pair("", name), identity_of(device));
  };
  keep("device-foreign", foreign_->make_device("/CN=dev-foreign"));
  keep("ra-foreign", foreign_->make_device("/CN=dev-ra-foreign",
                                           "extendedKeyUsage = clientAuth, 1.3.6.1.5.5.7.3.28\n"));
  register_entity("dev-acme-1", "issuing");
  keep("vendor-known", acme_->make_device("/CN=dev-acme-1"));
  keep("vendor-unknown", acme_->make_device("/CN=dev-acme-2"));
  keep("server", {.key = installation.state() / "tls/server.key",
                  .csr = {},
                  .certificate = installation.state() / "tls/server.pem"});
}

void MatrixSite::make_certificates(const std::string& ca) {
  enroll(ca, "device-expired", "brief");
  enroll(ca, "device", "device");
  revoke(enroll(ca, "device-revoked", "device"), "revoke");
  revoke(enroll(ca, "device-held", "device"), "hold");
  enroll(ca, "ra-listed", "device");
  enroll(ca, "ra", "ra");
}

const http::TlsIdentity& MatrixSite::enroll(const std::string& ca, const std::string& kind,
                                            const std::string& profile) {
  const auto key = new_key();
  const Bytes csr = test::make_csr_der(key, "CN=dev-" + ca + "-" + kind);
  const auto answer = exchange(
      nullptr, test::est_request(maker_of(ca, profile) + "/simpleenroll", csr,
                                 test::basic_authorization(std::string("maker:") + kPassword)));
  return identities_.emplace(std::pair(ca, kind), http::TlsIdentity{key, {issued(answer)}})
      .first->second;
}

void MatrixSite::revoke(const http::TlsIdentity& identity, const std::string& how) {
  management->post_ok("/certificates/" + to_hex(identity.chain.front().serial()) + "/" + how,
                      nlohmann::json::object());
}

MatrixNames MatrixSite::register_entity(const std::string& name, const std::string& ca) {
  management->post_ok("/entities", {{"username", name},
                                    {"ca", ca},
                                    {"end_entity_profile", "device"},
                                    {"certificate_profile", "device"},
                                    {"subject", "CN=" + name},
                                    {"san", nlohmann::json::array()}});
  return {.subject = "CN=" + name};
}

MatrixNames MatrixSite::others(const MatrixAlias& alias) {
  const std::string name = new_name("dev-");
  return alias.client_mode ? register_entity(name, alias.ca) : MatrixNames{.subject = "CN=" + name};
}

test::HttpAnswer MatrixSite::exchange(const http::TlsIdentity* identity, const std::string& bytes) {
  test::TlsClient connection(static_cast<std::uint16_t>(std::stoi(server->port())),
                             {.identity = identity});
  ++exchanges_;
  connection.send(bytes);
  return connection.read_answer();
}

crypto::Certificate MatrixSite::issued(const test::HttpAnswer& answer) {
  using CmsPtr = crypto::Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
  if (answer.status != 200) {
    throw std::runtime_error(answer.head + answer.body);
  }
  const Bytes der = base64_decode(answer.body);
  const unsigned char* input = der.data();
  const CmsPtr message(
      crypto::require(::d2i_CMS_ContentInfo(nullptr, &input, static_cast<long>(der.size())),
                      "d2i_CMS_ContentInfo"));
  const crypto::X509StackPtr found(::CMS_get1_certs(message.get()));
  if (!found || sk_X509_num(found.get()) != 1) {
    throw std::runtime_error("not exactly one certificate");
  }
  return crypto::Certificate::from_openssl(sk_X509_value(found.get(), 0));
}

MatrixCredential MatrixSite::present(const MatrixAlias& alias, const std::string& name,
                                     bool fresh) {
  MatrixCredential credential;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('+', at), name.size());
    const std::string part = name.substr(at, end - at);
    if (part.starts_with("basic")) {
      add_header(credential, alias, part);
    } else if (part.starts_with("code")) {
      add_code(credential, alias, part);
    } else if (part != "none") {
      add_certificate(credential, alias, part, fresh);
    }
    at = end + 1;
  }
  if (credential.own.subject.empty()) {
    credential.own = others(alias);
  }
  return credential;
}

void MatrixSite::add_header(MatrixCredential& credential, const MatrixAlias& alias,
                            const std::string& name) {
  if (name == "basic") {
    use_account(credential, "line", kPassword);
  } else if (name == "basic-wrong") {
    use_account(credential, "line", "a wrong password");
  } else if (name == "basic-unknown") {
    use_account(credential, "nobody", kPassword);
  } else if (name == "basic-other-alias") {
    use_account(credential, "maker", kPassword);
  } else if (name == "basic-malformed") {
    credential.authorization = "Basic !" + base64_encode(as_bytes("line"));
  } else {
    throw std::runtime_error(alias.name + ": no credential is called " + name);
  }
}

std::string MatrixSite::new_code(const std::string& username) {
  return management->post_ok("/codes", {{"username", username}, {"uses", kManyUses}}).at("code");
}

void MatrixSite::add_code(MatrixCredential& credential, const MatrixAlias& alias,
                          const std::string& name) {
  const std::string username = new_name("dev-");
  credential.own = register_entity(username, alias.ca);
  credential.code = new_code(username);
  if (name == "code-wrong") {
    credential.code = "no code of anybody";
  } else if (name == "code-other-entity") {
    const std::string other = new_name("dev-");
    register_entity(other, alias.ca);
    credential.code = new_code(other);
  } else if (name == "code-spent") {
    credential.code =
        management->post_ok("/codes", {{"username", username}, {"uses", 1}}).at("code");
  } else if (name != "code") {
    throw std::runtime_error(alias.name + ": no credential is called " + name);
  }
  if (alias.code == CodePlace::header) {
    use_account(credential, username, credential.code);
    credential.code.clear();
  }
  if (name == "code-spent") {
    spend(alias, credential);
  }
}

void MatrixSite::spend(const MatrixAlias& alias, const MatrixCredential& credential) {
  const MatrixRequest request = make_request(alias, credential, credential.own);
  const auto answer = exchange(nullptr, test::est_request(alias.name + "/simpleenroll", request.csr,
                                                          credential.authorization));
  // Where codes count for nothing there is nothing to spend.
  if (alias.name != "vendor") {
    static_cast<void>(issued(answer));
    ++spent_codes_;
  }
}

void MatrixSite::add_certificate(MatrixCredential& credential, const MatrixAlias& alias,
                                 const std::string& name, bool fresh) {
  if (fresh && name.starts_with("vendor-")) {
    const std::string device = new_name("dev-acme-v");
    if (name == "vendor-known") {
      register_entity(device, alias.ca);
    }
    fresh_.push_back(
        std::make_unique<http::TlsIdentity>(identity_of(acme_->make_device("/CN=" + device))));
    credential.identity = fresh_.back().get();
  } else {
    const bool other = name.ends_with("-other-ca");
    const std::string ca = other == (alias.ca == "issuing") ? "root" : "issuing";
    const std::string kind = other ? name.substr(0, name.find("-other-ca")) : name;
    const auto ours = identities_.find({ca, kind});
    credential.identity = ours != identities_.end() ? &ours->second : &identities_.at({"", kind});
  }
  if (credential.own.subject.empty()) {
    credential.own = names_of(credential.identity->chain.front());
  }
}

MatrixRequest make_request(const MatrixAlias& alias, const MatrixCredential& credential,
                           const MatrixNames& names) {
  const auto key = new_key();
  const bool in_subject = !credential.code.empty() && alias.code == CodePlace::subject;
  return {test::make_csr_der(key, names.subject + (in_subject ? ",OU=" + credential.code : ""),
                             names.san, in_subject ? "" : credential.code),
          key.public_key()};
}

}  // namespace estia::e2e
