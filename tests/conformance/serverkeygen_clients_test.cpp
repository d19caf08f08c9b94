// SPDX-License-Identifier: Apache-2.0
// Keys that a running estiad made, in the hands of Bouncy Castle and GnuTLS (RFC 7030 4.4).
#include <regex>
#include <stdexcept>

#include "crypto/base/file.h"
#include "tests/conformance/java_program.h"
#include "tests/conformance/site.h"
#include "tests/e2e/support/key_answer.h"

namespace estia::conformance {
namespace {

class ServerkeygenClients : public testing::Test {
 protected:
  /// The alias est gives keys in this form, and its certificates are good to encrypt for.
  void give_keys(const std::string& form) const {
    const std::string state = site_.installation.state();
    const e2e::Finished exported = site_.installation.estia({"config", "export", "--state", state});
    ASSERT_EQ(exported.code, 0) << exported.err;
    std::string document = exported.out;
    const auto insert = [&](const std::string& where, const std::string& before,
                            const std::string& text) {
      const std::size_t at = document.find(before, document.find(where));
      ASSERT_NE(at, std::string::npos) << document;
      document.insert(at + before.size(), text);
    };
    insert("[[alias]]", "name = \"est\"\n", "serverkeygen = [\"" + form + "\"]\n");
    insert("name = \"device\"\nvalidity", "key_usage = [", "\"keyAgreement\", ");
    write_new_file(site_.file("ca.toml"), document, FileMode::secret);
    const e2e::Finished applied =
        site_.installation.estia({"apply", path("ca.toml"), "--state", state});
    ASSERT_EQ(applied.code, 0) << applied.err;
  }

  [[nodiscard]] e2e::Finished key_client(const std::vector<std::string>& arguments) const {
    return run(java_program(
        "EstKeyClient", std::vector<std::string>{"localhost:" + site_.server.port()} + arguments));
  }
  [[nodiscard]] e2e::Finished run(const std::vector<std::string>& command) const {
    return e2e::run(command, site_.installation.directory());
  }
  [[nodiscard]] std::string path(const std::string& name) const {
    return site_.file(name).string();
  }
  [[nodiscard]] std::string password_file() const {
    return (site_.installation.state() / "ra-account.password").string();
  }

  Site site_;
};

TEST_F(ServerkeygenClients, BouncyCastleGetsAKeyAndItsCertificate_EST_4_4_2_a) {
  give_keys("pkcs8");
  for (const char* kind : {"P-256", "P-384", "RSA-2048"}) {
    const std::string name = std::string("bc-") + kind;
    const e2e::Finished got =
        key_client({"plain", site_.installation.ca_bundle().string(), site_.installation.user(),
                    password_file(), kind, "CN=" + name, path(name + ".key"), path(name + ".pem")});
    ASSERT_EQ(got.code, 0) << kind << got.err << site_.server.err();
    EXPECT_NE(site_.check(path(name + ".pem"), path(name + ".key"), ""), "");
  }
  EXPECT_EQ(site_.stop_and_count("serverkeygen"), 3);
}

TEST_F(ServerkeygenClients, BouncyCastleWithAWrongPasswordGetsNoKey) {
  give_keys("pkcs8");
  write_new_file(site_.file("wrong"), "not the password\n", FileMode::secret);
  const e2e::Finished refused =
      key_client({"plain", site_.installation.ca_bundle().string(), site_.installation.user(),
                  path("wrong"), "P-256", "CN=nobody", path("bc.key"), path("bc.pem")});
  EXPECT_NE(refused.code, 0);
  EXPECT_NE(refused.err.find("401"), std::string::npos) << refused.err;
  EXPECT_FALSE(std::filesystem::exists(site_.file("bc.key")));
  EXPECT_EQ(site_.stop_and_count("serverkeygen"), 0);
}

/// What certtool calls the public key of what it was shown; empty where it shows none.
std::string public_key_id(const std::string& report) {
  static const std::regex id(R"(Public Key ID:\s+(?:sha1:\w+\s+)?sha256:(\w+))");
  std::smatch match;
  return std::regex_search(report, match, id) ? match[1].str() : std::string();
}

TEST_F(ServerkeygenClients, GnutlsReadsTheKeyThatCameAndSaysWhoseItIs_EST_4_4_2_b) {
  require_program("certtool", "gnutls-bin");
  give_keys("pkcs8");
  const auto key_info = [this](const std::string& file) {
    return run(
        {"certtool", "--key-info", "--pkcs8", "--password", "", "--inder", "--infile", file});
  };
  std::string last;
  for (const char* kind : {"P-256", "RSA-2048"}) {
    const e2e::Device wish = site_.openssl.make_device(std::string("/CN=gnutls-") + kind, "", kind);
    const e2e::Answer answer =
        site_.openssl.post("serverkeygen", e2e::EstClient::csr_base64(wish), site_.openssl.as_ra());
    ASSERT_EQ(answer.status, 200) << answer.body << site_.server.err();
    const e2e::KeyAnswer saved = e2e::save_parts(site_.openssl, answer);
    const e2e::Finished key = key_info(saved.key.string());
    ASSERT_EQ(key.code, 0) << kind << key.err;
    const e2e::Finished certificate =
        run({"certtool", "--certificate-info", "--infile", saved.certificate.string()});
    ASSERT_EQ(certificate.code, 0) << certificate.err;
    EXPECT_NE(public_key_id(key.out), "") << key.out;
    EXPECT_EQ(public_key_id(key.out), public_key_id(certificate.out)) << kind;
    EXPECT_NE(public_key_id(key.out), last) << "another key, another name";
    last = public_key_id(key.out);
    const std::string cut = read_file(saved.key);
    write_new_file(site_.file(kind), cut.substr(0, cut.size() - 1), FileMode::secret);
    EXPECT_NE(key_info(path(kind)).code, 0) << "one byte less is no key";
  }
}

struct Case {
  const char* name;
  const char* own;     ///< kind of the client's key, which decrypts
  const char* wanted;  ///< kind of the key that is made
  const char* opened;  ///< what Bouncy Castle says of the message
};

class BouncyCastleOpens : public ServerkeygenClients, public testing::WithParamInterface<Case> {
 protected:
  [[nodiscard]] e2e::Finished open(const e2e::Device& own, const std::string& key,
                                   const std::string& anchors) const {
    return run(
        java_program("KeyOpener", {"certificate", path("made.p7m"), anchors, path("made.pem"), key,
                                   own.key.string(), own.certificate.string()}));
  }
  void expect_refused(const e2e::Finished& opened, const std::string& why) const {
    EXPECT_NE(opened.code, 0) << opened.out;
    EXPECT_NE(opened.err.find(why), std::string::npos) << opened.err;
    EXPECT_FALSE(std::filesystem::exists(site_.file("refused.key")));
  }
};

TEST_P(BouncyCastleOpens, AKeyThatIsEncryptedForItsCertificate_EST_4_4_2_c) {
  give_keys("cms");
  const std::string anchors = site_.installation.ca_bundle().string();
  e2e::Device own = site_.openssl.make_device("/CN=sealed-1", "DNS:s.example", GetParam().own);
  site_.openssl.enroll(own);
  const e2e::Finished got =
      key_client({"sealed", anchors, own.key.string(), own.certificate.string(), GetParam().wanted,
                  path("made.p7m"), path("made.pem")});
  ASSERT_EQ(got.code, 0) << got.err << site_.server.err();

  const e2e::Finished opened = open(own, path("made.key"), anchors);
  ASSERT_EQ(opened.code, 0) << opened.err;
  EXPECT_EQ(opened.out, std::string("opened ") + GetParam().opened + "\n");
  EXPECT_NE(site_.check(path("made.pem"), path("made.key"), "s.example"), "");

  e2e::Device other = site_.openssl.make_device("/CN=other", "", GetParam().own);
  other.certificate = own.certificate;  // so that a recipient is found
  // A CMSException; of RSA also a DataLengthException, where the message is no number below that
  // other key's modulus.
  expect_refused(open(other, path("refused.key"), anchors), "\"main\" org.bouncycastle.");
  // The device's certificate in place of the CAs': nobody vouches for who signed.
  expect_refused(open(own, path("refused.key"), own.certificate.string()),
                 "CertPathValidatorException");
  EXPECT_EQ(site_.stop_and_count("serverkeygen"), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Recipients, BouncyCastleOpens,
    testing::Values(Case{"ktri_rsa", "RSA-2048", "P-256",
                         "KeyTransRecipientInformation 1.2.840.113549.1.1.7 "
                         "2.16.840.1.101.3.4.1.42"},
                    Case{"kari_p256", "P-256", "RSA-2048",
                         "KeyAgreeRecipientInformation 1.3.132.1.11.1 2.16.840.1.101.3.4.1.42"},
                    Case{"kari_p384", "P-384", "P-384",
                         "KeyAgreeRecipientInformation 1.3.132.1.11.2 2.16.840.1.101.3.4.1.42"}),
    [](const testing::TestParamInfo<Case>& wanted) { return std::string(wanted.param.name); });

}  // namespace
}  // namespace estia::conformance
