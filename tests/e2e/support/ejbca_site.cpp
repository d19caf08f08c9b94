// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/ejbca_site.h"

#include <array>

#include "crypto/base/file.h"

namespace estia::e2e {
namespace {

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
plant.http.operationmode=client
plant.http.defaultca=-1234567
plant.http.authenticationmodule=HttpBasicAuth
plant.dn.operationmode=client
plant.dn.defaultca=-1234567
plant.dn.authenticationmodule=DnPartPwd
plant.dn.extractdnpartpwdcomponent=OU
plant.dn.extractusernamecomponent=CN
plant.vendor.operationmode=client
plant.vendor.defaultca=-1234567
plant.vendor.authenticationmodule=ChallengePwd
plant.vendor.vendorcertificatemode=true
plant.vendor.vendorcaids=-5;77
plant.vendor.extractusernamecomponent=SN
bare.supportproxyca=true
)";

constexpr std::array kMaps{"ca:-1234567=issuing", "ca:=issuing",          "eeprofile:7=factory",
                           "eeprofile:1=factory", "certprofile:9=device", "certprofile:1=device",
                           "vendorca:-5=acme",    "vendorca:77=acme-old"};

}  // namespace

std::string EjbcaSite::profiles() {
  return std::string(kRaProfile) + R"(
[[end_entity_profile]]
name = "factory"
required = ["CN"]
optional = ["serialNumber", "UID"]
)";
}

Finished EjbcaSite::import(const std::vector<std::string>& more) const {
  const auto file = client->new_file(".properties");
  write_new_file(file, kDump, FileMode::secret);
  std::vector<std::string> arguments{"alias", "import-ejbca", file.string()};
  for (const char* map : kMaps) {
    arguments.insert(arguments.end(), {"--map", map});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return estia(arguments);
}

std::string EjbcaSite::with_account(std::string toml) const {
  replace_file(installation.directory() / "plant.7.password", std::string(kPassword) + "\n",
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

Answer EjbcaSite::enroll(const std::string& alias, const Device& device,
                         const std::vector<std::string>& credentials) const {
  return client->post(alias + "/simpleenroll", EstClient::csr_base64(device), credentials);
}

std::string EjbcaSite::username_after(const Answer& answer) const {
  return answer.status == 200 ? username_of(client->save_certificate(answer.body))
                              : std::to_string(answer.status) + " " + answer.body;
}

std::string EjbcaSite::code_for(const std::string& name, const std::string& profile) const {
  register_entity(name, "CN=" + name, {}, profile);
  return new_code(name);
}

}  // namespace estia::e2e
