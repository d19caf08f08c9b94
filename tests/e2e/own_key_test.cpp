// SPDX-License-Identifier: Apache-2.0
// A CA whose key was in the token already, as docs/getting-started.md takes it up.
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

class OwnKey : public ManagedSite {
 protected:
  OwnKey() {
    EXPECT_EQ(server->stop(), 0);  // SoftHSM bears no other process that writes
    make_key("plant-ca");
    start();
  }

  void make_key(const std::string& label) const {
    tool({"pkcs11-tool", "--module", softhsm_module(), "--token-label", installation.token_label(),
          "--login", "--pin", installation.pin(), "--keypairgen", "--key-type", "EC:prime256v1",
          "--label", label, "--id", "01", "--usage-sign"});
  }
  /// Self-signed, in the token.
  [[nodiscard]] std::filesystem::path certify() const {
    const std::filesystem::path settings = installation.directory() / "openssl.cnf";
    write_new_file(settings,
                   "openssl_conf = init\n[init]\nproviders = providers\n[providers]\n"
                   "default = built_in\npkcs11 = token\n[built_in]\nactivate = 1\n[token]\n"
                   "activate = 1\npkcs11-module-quirks = no-deinit\npkcs11-module-path = " +
                       softhsm_module() + "\npkcs11-module-token-pin = file:" +
                       installation.pin_file().string() + "\n",
                   FileMode::secret);
    std::filesystem::path certificate = installation.directory() / "plant-ca.pem";
    tool({"openssl", "req", "-x509", "-new", "-key", key_uri(), "-subj", "/CN=Plant CA", "-days",
          "3650", "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
          "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash", "-out",
          certificate.string()},
         {"OPENSSL_CONF=" + settings.string()});
    return certificate;
  }
  [[nodiscard]] std::string key_uri(const std::string& label = "plant-ca") const {
    return "pkcs11:token=" + installation.token_label() + ";object=" + label + ";type=private";
  }
  [[nodiscard]] Finished take_up(const std::filesystem::path& certificate,
                                 const std::string& uri) const {
    std::string document = estia_ok({"config", "export"});
    const std::string from = "\nca = \"issuing\"";
    EXPECT_NE(document.find(from), std::string::npos) << document;
    document.replace(document.find(from), from.size(), "\nca = \"plant\"");
    return apply(document + "\n[[ca]]\nname = \"plant\"\nkey = \"" + uri +
                 "\"\ncertificates = '''\n" + read_file(certificate) + "'''\n");
  }

 private:
  void tool(const std::vector<std::string>& arguments, std::vector<std::string> more = {}) const {
    more.insert(more.end(), installation.environment().begin(), installation.environment().end());
    run_ok(arguments, installation.directory(), more);
  }
};

TEST_F(OwnKey, IsTakenUpByItsNameAndCertificate) {
  const std::filesystem::path certificate = certify();
  const Finished wrong = take_up(certificate, key_uri("plant-cb"));
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.err.find("token.key_not_found"), std::string::npos) << wrong.err;
  const Finished taken = take_up(certificate, key_uri());
  ASSERT_EQ(taken.code, 0) << taken.err;
  EXPECT_NE(taken.out.find("added    ca plant"), std::string::npos) << taken.out;
  const std::string probed = estia_ok({"token", "probe"});
  EXPECT_NE(probed.find("plant"), std::string::npos) << probed;
  Device device = client->make_device("/CN=over-plant");
  client->enroll(device);
  const std::string verified =
      client->openssl({"verify", "-CAfile", certificate.string(), device.certificate.string()});
  EXPECT_NE(verified.find("OK"), std::string::npos) << verified;
}

}  // namespace
}  // namespace estia::e2e
