// SPDX-License-Identifier: Apache-2.0
// From EJBCA's property dump to aliases that answer curl and openssl, while estiad runs.
#include "crypto/base/file.h"
#include "tests/e2e/support/managed_site.h"

namespace estia::e2e {
namespace {

constexpr const char* kPassword = "line-7-password-0123456789abcdef";

/// One alias's name begins another's; keys are absent, unknown, escaped and over two lines.
constexpr const char* kDump = R"(#Thu Nov 26 12:00:00 UTC 2026
plant.operationmode=client
plant.defaultca=-1234567
plant.authenticationmodule=ChallengePwd
plant.extractusernamecomponent=CN
plant.allowupdatewithsamekey=false
plant.severkeygenenabled=true
plant.7.operationmode=ra
plant.7.defaultca = -1234567
plant.7.eeprofile: 7
plant.7.certprofile=9
plant.7.requirecert=false
plant.7.requsername=l\u0069ne-7
plant.7.reqpassword=6d60b1ee19b2f8f4
plant.7.ra.namegenerationscheme=DN
plant.7.ra.namegenerationparameters=UID;\
  SN;CN
plant.7.ra.namegenerationprefix=f-
plant.7.futuresetting=yes
)";

constexpr const char* kProfile = R"(
[[end_entity_profile]]
name = "factory"
required = ["CN"]
optional = ["serialNumber", "UID"]
)";

class EjbcaImport : public ManagedSite {
 protected:
  [[nodiscard]] Finished import(std::vector<std::string> more) const {
    const auto file = client->new_file(".properties");
    write_new_file(file, kDump, FileMode::secret);
    std::vector<std::string> arguments{"alias",
                                       "import-ejbca",
                                       file.string(),
                                       "--map",
                                       "ca:-1234567=issuing",
                                       "--map",
                                       "eeprofile:7=factory",
                                       "--map",
                                       "certprofile:9=device"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return estia(arguments);
  }
  /// What the operator does about the account: a password file, and the comment's signs away.
  [[nodiscard]] std::string with_account(std::string toml) const {
    write_new_file(installation.directory() / "plant.7.password", std::string(kPassword) + "\n",
                   FileMode::secret);
    const std::string comment =
        "# [[account]]\n# alias = \"plant.7\"\n# user = \"line-7\"\n"
        "# password_file = \"plant.7.password\"\n";
    const std::size_t at = toml.find(comment);
    EXPECT_NE(at, std::string::npos) << toml;
    std::string lines = comment;
    for (std::size_t sign = 0; (sign = lines.find("# ")) != std::string::npos;) {
      lines.erase(sign, 2);
    }
    return at == std::string::npos ? toml : toml.replace(at, comment.size(), lines);
  }
  std::string username_after(const std::string& subject) {
    const Answer answer =
        client->post("plant.7/simpleenroll", EstClient::csr_base64(client->make_device(subject)),
                     client->as_user("line-7", kPassword));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? username_of(client->save_certificate(answer.body)) : "";
  }
  Answer enroll_with_challenge(const std::string& name, const std::string& code) {
    Device device = client->make_device("/CN=unused");
    const auto file = client->new_file(".cnf");
    write_new_file(file,
                   "[req]\nprompt = no\ndistinguished_name = dn\nattributes = attrs\n[dn]\nCN = " +
                       name + "\n[attrs]\nchallengePassword = " + code + "\n",
                   FileMode::secret);
    device.csr = client->new_file(".csr");
    client->openssl({"req", "-new", "-key", device.key.string(), "-config", file.string(),
                     "-outform", "DER", "-out", device.csr.string()});
    return client->post("plant/simpleenroll", EstClient::csr_base64(device));
  }
};

TEST_F(EjbcaImport, ADumpBecomesAliasesThatBehaveSo) {
  const std::string before = estia_ok({"config", "export"});
  const Finished imported = import({"--ra-scope", "CN=*, UID=*, serialNumber=*"});
  ASSERT_EQ(imported.code, 0) << imported.err;
  for (const char* line :
       {"took       plant.7.ra.namegenerationparameters = 'UID;SN;CN': name_parameters\n",
        "took       plant.operationmode = 'client': mode = \"client\"\n",
        "differs    plant.7: registration authorities are bound to ra_scope",
        "not taken  plant.7.reqpassword: cannot be recovered",
        "not taken  plant.severkeygenenabled = 'true': Estia has no serverkeygen",
        "plant.7.futuresetting: no setting of an alias"}) {
    EXPECT_NE(imported.err.find(line), std::string::npos) << line << "\n" << imported.err;
  }
  EXPECT_EQ((imported.out + imported.err).find("6d60b1ee19b2f8f4"), std::string::npos);
  EXPECT_EQ(estia_ok({"config", "export"}), before) << "nothing was changed";

  ASSERT_TRUE(add_configuration(kProfile + with_account(imported.out)));
  // plant.7: RA mode, an account alone, usernames by UID;SN;CN.
  EXPECT_EQ(username_after("/CN=device-1/serialNumber=4711/UID=u-1"), "f-u-1");
  EXPECT_EQ(username_after("/CN=device-1/serialNumber=4711"), "f-4711");
  EXPECT_EQ(username_after("/CN=device-1"), "f-device-1");
  const std::string csr = EstClient::csr_base64(client->make_device("/CN=device-2"));
  EXPECT_EQ(client->post("plant.7/simpleenroll", csr).status, 401);
  // plant: client mode, a code in challengePassword, the CN is the username, a renewal's key new.
  estia_ok({"entity", "add", "--username", "meter-1", "--ca", "issuing", "--end-entity-profile",
            "device", "--certificate-profile", "device", "--subject", "CN=meter-1"});
  const std::string out = estia_ok({"code", "new", "--username", "meter-1"});
  const std::string code = out.substr(0, out.find('\n'));
  EXPECT_EQ(enroll_with_challenge("meter-1", "wrong").status, 403);
  const Answer enrolled = enroll_with_challenge("meter-1", code);
  ASSERT_EQ(enrolled.status, 200) << enrolled.body;
  EXPECT_EQ(username_of(client->save_certificate(enrolled.body)), "meter-1");
  EXPECT_EQ(enroll_with_challenge("meter-1", code).status, 403) << "spent";
}

TEST_F(EjbcaImport, TheOperatorIsToldWhatIsMissing) {
  const Finished unsaid = import({});
  EXPECT_EQ(unsaid.code, 1);
  EXPECT_EQ(unsaid.out, "");
  EXPECT_NE(unsaid.err.find(".properties:13: plant.7.requsername = 'line-7'"), std::string::npos)
      << unsaid.err;
  const Finished twice = import({"--ra-scope", "any", "--map", "ca:-1234567=other"});
  EXPECT_EQ(twice.code, 1);
  EXPECT_NE(twice.err.find("this id was mapped before"), std::string::npos) << twice.err;
}

}  // namespace
}  // namespace estia::e2e
