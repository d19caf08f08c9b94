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
    lengthen_pin();
    start();
  }

  void make_key(const std::string& label) const {
    tool({"pkcs11-tool", "--module", softhsm_module(), "--token-label", installation.token_label(),
          "--login", "--pin", installation.pin(), "--keypairgen", "--key-type", "EC:prime256v1",
          "--label", label, "--id", "01", "--usage-sign"});
  }
  /// Found in review: openssl with pkcs11-provider, which stood there before, cuts PINs of 32
  /// characters.
  void lengthen_pin() const {
    const std::filesystem::path longer = installation.directory() / "longer-pin";
    write_new_file(longer, std::string(40, '7') + "-canary\n", FileMode::secret);
    estia_ok({"token", "pin", "change", "--new-pin-file", longer.string()});
  }
  /// Self-signed, in the token.
  [[nodiscard]] std::filesystem::path certify() const {
    const std::filesystem::path names = installation.directory() / "plant-ca.template";
    write_new_file(names,
                   "cn = \"Plant CA\"\nexpiration_days = 3650\nca\ncert_signing_key\n"
                   "crl_signing_key\n",
                   FileMode::readable);
    const std::filesystem::path pin = installation.directory() / "pin-copy";
    write_new_file(pin, read_secret_file(installation.pin_file()).text(), FileMode::secret);
    std::filesystem::path certificate = installation.directory() / "plant-ca.pem";
    tool({"certtool", "--provider", softhsm_module(), "--generate-self-signed", "--template",
          names.string(), "--outfile", certificate.string(), "--load-privkey",
          key_uri() + ";pin-source=" + pin.string()});
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
